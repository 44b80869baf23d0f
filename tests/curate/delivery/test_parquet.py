from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_dataset

from diptych.curate.config import Export
from diptych.curate.delivery.parquet import Selection, export, export_names, exported_columns
from diptych.data.dataset import open_dataset
from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, DataError, ShardError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

TWO_ROWS = Export(rows_per_shard=2, min_shards=1)
KEEP = np.array([True, False, True, True, True, False, True])


def make_selection(tmp_path: Path, keep: np.ndarray = KEEP) -> Selection:
    dataset = draw_dataset(tmp_path / "pool", rows=7, rows_per_shard=3)
    run = score_dataset(tmp_path / "pool", ScorePlan({}, {"words": ("caption_stats", {})}), progress="none")
    table = DatasetTable(dataset, run.sets)
    return Selection(table, keep, exported_columns(table, None), {"rules": ["by hand"]})


def rows_in(path: Path) -> list[dict[str, object]]:
    return [row for file in open_dataset(path).files for row in read_shard(file).to_pylist()]


def test_the_kept_rows_are_exported_with_bytes_and_scores_in_order(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    dataset, written, _ = export(selection, tmp_path / "selected", TWO_ROWS, progress="none")
    assert ([shard.rows for shard in dataset.shards], written) == ([2, 2, 1], 3)
    pool = [row for file in selection.table.dataset.files for row in read_shard(file).to_pylist()]
    exported = rows_in(tmp_path / "selected")
    for before, after in zip(np.array(pool, object)[KEEP], exported, strict=True):
        assert {name: after[name] for name in before} == before
        assert after["words__caption_words"] == len(before["caption"].split())


def test_named_columns_only_are_exported(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    few = replace(selection, columns=exported_columns(selection.table, ["caption_words"]))
    export(few, tmp_path / "selected", Export(), progress="none")
    assert "words__caption_characters" not in rows_in(tmp_path / "selected")[0]
    assert "words__caption_words" in rows_in(tmp_path / "selected")[0]


def test_the_same_selection_is_not_written_twice_and_another_one_replaces_it(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    export(selection, tmp_path / "selected", Export(), progress="none")
    assert export(selection, tmp_path / "selected", Export(), progress="none")[1] == 0
    other = replace(selection, keep=~KEEP, made_by={"rules": ["the others"]})
    dataset, written, _ = export(other, tmp_path / "selected", Export(), progress="none")
    assert (dataset.rows, written) == (2, 2)


def test_a_folder_that_export_did_not_make_is_left_alone(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    (tmp_path / "selected").mkdir()
    (tmp_path / "selected" / "thesis.txt").write_text("years of work")
    with pytest.raises(ShardError, match=r"holds thesis\.txt, which diptych has not written there"):
        export(selection, tmp_path / "selected", Export(), progress="none")
    assert (tmp_path / "selected" / "thesis.txt").read_text() == "years of work"


def test_an_interrupted_export_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = make_selection(tmp_path)
    export(selection, tmp_path / "whole", TWO_ROWS, progress="none")
    calls = []

    def failing(*args: Any, **kwargs: Any) -> ShardInfo:
        calls.append(args)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return write_shard(*args, **kwargs)

    monkeypatch.setattr("diptych.curate.delivery.shard_job.write_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        export(selection, tmp_path / "resumed", TWO_ROWS, progress="none")
    monkeypatch.undo()
    assert not (tmp_path / "resumed").exists()
    _, written, _ = export(selection, tmp_path / "resumed", TWO_ROWS, progress="none")
    assert written == 1
    for file in open_dataset(tmp_path / "whole").files:
        assert file.read() == (tmp_path / "resumed" / "data" / file.name).read_bytes()


def test_a_damaged_shard_of_an_export_is_written_again_and_no_other(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    dataset, _, _ = export(selection, tmp_path / "selected", TWO_ROWS, progress="none")
    before = [file.read() for file in dataset.files]
    dataset.files[1].path.write_bytes(before[1][:-1])
    again, written, _ = export(selection, tmp_path / "selected", TWO_ROWS, progress="none")
    assert ([file.read() for file in again.files], written) == (before, 1)


def test_a_flipped_bit_in_the_pool_is_named_and_nothing_is_exported(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    for place in (selection.table.dataset.files[2], selection.table.sets["words"].files[1]):
        data = place.read()
        place.path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        with pytest.raises(ShardError, match=rf"{place.name}: is damaged: its sha256"):
            export(selection, tmp_path / "selected", Export(), progress="none")
        assert not (tmp_path / "selected").exists()
        place.path.write_bytes(data)
    assert export(selection, tmp_path / "selected", Export(), progress="none")[0].rows == 5


def test_an_export_of_nothing_is_refused_and_an_earlier_one_named(tmp_path: Path) -> None:
    selection = make_selection(tmp_path, np.zeros(7, bool))
    with pytest.raises(DataError, match=r"selected: none of 7 rows is kept.*: nothing to export$"):
        export(selection, tmp_path / "selected", Export(), progress="none")
    assert not (tmp_path / "selected").exists()
    before, _, _ = export(make_selection(tmp_path / "other"), tmp_path / "selected", Export(), progress="none")
    with pytest.raises(DataError, match="nothing to export; what is there is an earlier selection"):
        export(selection, tmp_path / "selected", Export(), progress="none")
    assert open_dataset(tmp_path / "selected").shards == before.shards


@pytest.mark.parametrize(("rows", "pool"), [(1, 3), (2, 3), (3, 2), (100, 1)])
def test_output_shards_are_cut_by_kept_rows_alone(tmp_path: Path, rows: int, pool: int) -> None:
    keep = np.random.default_rng(rows).random(20) < 0.6
    dataset = draw_dataset(tmp_path / "pool", rows=20, rows_per_shard=pool)
    made, _, _ = export(
        Selection(DatasetTable(dataset), keep, {}, {}), tmp_path / "out", Export(rows_per_shard=rows, min_shards=1)
    )
    kept = int(keep.sum())
    assert [shard.rows for shard in made.shards] == [min(rows, kept - start) for start in range(0, kept, rows)]
    keys = [row["key"] for row in rows_in(tmp_path / "out")]
    assert keys == [f"{row:09d}" for row in np.flatnonzero(keep)]


def test_output_shards_are_bounded_in_bytes_and_a_larger_row_has_its_own(tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path / "pool", rows=7)
    sizes = [len(row["image"]["bytes"]) for row in rows_in(tmp_path / "pool")]  # type: ignore[index]
    settings = Export(bytes_per_shard=3 * max(sizes), min_shards=1)
    made, _, _ = export(Selection(DatasetTable(dataset), np.ones(7, bool), {}, {}), tmp_path / "out", settings)
    assert max(shard.rows for shard in made.shards) <= 3 < made.rows
    assert [row["key"] for row in rows_in(tmp_path / "out")] == [row["key"] for row in rows_in(tmp_path / "pool")]
    single, _, _ = export(
        Selection(DatasetTable(dataset), np.ones(7, bool), {}, {}), tmp_path / "single", Export(bytes_per_shard=1)
    )
    assert [shard.rows for shard in single.shards] == [1] * 7


def test_eight_loader_workers_have_work_where_there_are_eight_rows(tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path / "pool", rows=17)
    made, _, _ = export(Selection(DatasetTable(dataset), np.ones(17, bool), {}, {}), tmp_path / "out", Export())
    assert [shard.rows for shard in made.shards] == [3, 3, 3, 3, 3, 2]
    assert (
        len(
            export(Selection(DatasetTable(dataset), np.ones(17, bool), {}, {}), tmp_path / "few", Export(min_shards=2))[
                0
            ].shards
        )
        == 2
    )


@pytest.mark.parametrize(
    ("pairs", "wanted", "found"),
    [
        ([("a", "x"), ("b", "x")], None, {"a__x": "a.x", "b__x": "b.x"}),
        ([("a", "x"), ("b", "y")], ["y", "a.x", "y"], {"b__y": "b.y", "a__x": "a.x"}),
        ([], None, {}),
    ],
)
def test_score_columns_have_their_label_in_an_export(pairs: Any, wanted: Any, found: dict[str, str]) -> None:
    assert export_names(pairs, wanted, data=["key", "caption"]) == found


@pytest.mark.parametrize(
    ("pairs", "wanted", "message"),
    [
        ([("a__b", "c"), ("a", "b__c")], None, "export: 'a__b__c' is there already"),
        ([("source", "id")], None, "export: 'source__id' is there already; give the score of 'source.id' another"),
        ([("Source", "id")], None, "export: 'Source__id' is there already; give the score of 'Source.id' another"),
        ([("a__b", "c"), ("A", "b__c")], None, "export: 'A__b__c' is there already"),
        ([("a", "x"), ("b", "x")], ["x"], "2 labels have it; write a.x or b.x"),
        ([("a", "words")], ["word"], "export.columns: unknown column 'word'; did you mean 'a.words'"),
    ],
)
def test_names_that_an_export_could_not_tell_apart_are_refused(pairs: Any, wanted: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        export_names(pairs, wanted, data=["key", "source__id"])
    assert message in str(caught.value)
