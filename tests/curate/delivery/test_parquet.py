from pathlib import Path

import numpy as np
import pytest
from drawn import draw_dataset

from diptych.curate.config import Export
from diptych.curate.delivery.parquet import Selection, export, plan_shards
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.errors import ShardError
from diptych.scores.run import ScorePlan, score_dataset

KEEP = np.array([True, False, True, True, True, False, True])


def make_selection(tmp_path: Path, keep: np.ndarray = KEEP) -> Selection:
    dataset = draw_dataset(tmp_path / "pool", rows=7, rows_per_shard=3)
    run = score_dataset(tmp_path / "pool", ScorePlan({}, {"words": ("caption_stats", {})}), progress="none")
    return Selection(dataset, keep, run.sets, {"rules": ["by hand"]})


def rows_in(path: Path) -> list[dict[str, object]]:
    return [row for file in open_dataset(path).files for row in read_shard(file).to_pylist()]


def test_the_kept_rows_are_exported_with_bytes_and_scores_in_order(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    dataset, written = export(selection, tmp_path / "selected", Export(rows_per_shard=2), progress="none")
    assert ([shard.rows for shard in dataset.shards], written) == ([2, 2, 1], 3)
    pool = [row for file in selection.dataset.files for row in read_shard(file).to_pylist()]
    exported = rows_in(tmp_path / "selected")
    for before, after in zip(np.array(pool, object)[KEEP], exported, strict=True):
        assert {name: after[name] for name in before} == before
        assert after["caption_words"] == len(before["caption"].split())


def test_named_columns_only_are_exported(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    export(selection, tmp_path / "selected", Export(columns=("caption_words",)), progress="none")
    assert "caption_characters" not in rows_in(tmp_path / "selected")[0]
    assert "caption_words" in rows_in(tmp_path / "selected")[0]


def test_the_same_selection_is_not_written_twice_and_another_one_replaces_it(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    export(selection, tmp_path / "selected", Export(), progress="none")
    assert export(selection, tmp_path / "selected", Export(), progress="none")[1] == 0
    other = Selection(selection.dataset, ~KEEP, selection.sets, {"rules": ["the others"]})
    dataset, written = export(other, tmp_path / "selected", Export(), progress="none")
    assert (dataset.rows, written) == (2, 1)


def test_a_folder_that_export_did_not_make_is_left_alone(tmp_path: Path) -> None:
    selection = make_selection(tmp_path)
    (tmp_path / "selected").mkdir()
    (tmp_path / "selected" / "thesis.txt").write_text("years of work")
    with pytest.raises(ShardError, match="was not made by export"):
        export(selection, tmp_path / "selected", Export(), progress="none")
    assert (tmp_path / "selected" / "thesis.txt").read_text() == "years of work"


def test_an_interrupted_export_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = make_selection(tmp_path)
    export(selection, tmp_path / "whole", Export(rows_per_shard=2), progress="none")
    real, calls = read_shard, []

    def failing(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("diptych.curate.delivery.parquet.read_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        export(selection, tmp_path / "resumed", Export(rows_per_shard=2), progress="none")
    monkeypatch.undo()
    assert not (tmp_path / "resumed").exists()
    _, written = export(selection, tmp_path / "resumed", Export(rows_per_shard=2), progress="none")
    assert written < 3
    for file in open_dataset(tmp_path / "whole").files:
        assert file.read_bytes() == (tmp_path / "resumed" / "data" / file.name).read_bytes()


def test_nothing_kept_is_an_empty_dataset_with_the_columns(tmp_path: Path) -> None:
    selection = make_selection(tmp_path, np.zeros(7, bool))
    dataset, _ = export(selection, tmp_path / "selected", Export(), progress="none")
    assert dataset.rows == 0
    assert "caption_words" in read_shard(dataset.files[0]).column_names


def test_output_shards_are_cut_by_kept_rows_alone() -> None:
    keep = np.random.default_rng(0).random(1000) < 0.3
    parts = list(plan_shards(keep, 64))
    assert all(len(part) == 64 for part in parts[:-1])
    assert np.concatenate(parts).tolist() == np.flatnonzero(keep).tolist()
