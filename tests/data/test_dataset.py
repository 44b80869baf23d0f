from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from drawn import picture
from tiny_dataset import Row, good_rows, make_dataset, make_table

from diptych.data import manifests
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.journal import JOURNAL
from diptych.data.manifests import DATASET, MANIFEST_OF, read_manifest, write_manifest
from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.errors import ShardError
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location

IDENTITY = {"score": "own", "version": 1}


def write_part(growing: GrowingSet, shard: ShardInfo, *, source: str | None = None) -> ShardInfo:
    """Write what belongs to a shard of the data and note it."""
    data = growing.location.parent.parent / "data" / shard.name
    table = pa.table({"key": read_shard(data, ["key"])["key"], "value": pa.nulls(shard.rows, pa.float32())})
    info = write_shard(table, growing.location / shard.name, source=shard.sha256 if source is None else source)
    growing.commit(info)
    return info


def add_set(dataset: Dataset, name: str = "own-1", identity: Mapping[str, Any] = IDENTITY) -> GrowingSet:
    growing = GrowingSet(dataset, "scores", name, identity)
    growing.begin()
    for shard in dataset.shards:
        write_part(growing, shard)
    growing.seal({"columns": []})
    return growing


def test_a_dataset_knows_its_rows_files_and_facts(tmp_path: Path) -> None:
    made = make_dataset(tmp_path / "set", good_rows(10), rows_per_shard=4)
    dataset = open_dataset(tmp_path / "set")
    assert dataset == made
    assert (dataset.rows, [shard.rows for shard in dataset.shards]) == (10, [4, 4, 2])
    assert [file.name for file in dataset.files] == ["00000.parquet", "00001.parquet", "00002.parquet"]
    made_by = {"step": "test", "fingerprint": "0" * 64}
    assert dataset.manifest == {"kind": "pairs", "name": "tiny", "licence": "", "made_by": made_by}


def test_reading_shard_by_shard_names_no_file_again_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(tmp_path, good_rows(40), rows_per_shard=1)
    columns = add_set(dataset).seal({})
    named, real = [], LocalLocation.__truediv__

    def counted(self: LocalLocation, name: str) -> LocalLocation:
        named.append(name)
        return real(self, name)

    monkeypatch.setattr(LocalLocation, "__truediv__", counted)
    for owner in (dataset, columns):
        assert [owner.files[number].name for number in range(40)] == [shard.name for shard in dataset.shards]
    assert len(named) <= 3 * 40


def test_an_empty_dataset_is_one(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", [])
    assert (dataset.rows, dataset.files) == (0, ())


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    one, same = (make_dataset(tmp_path / name, good_rows(5)) for name in "ab")
    other = make_dataset(tmp_path / "c", good_rows(6))
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (None, r"there is no such folder; diptych generate run, generate import or curate run make one$"),
        ([], r"there is no dataset\.json$"),
        (["a.JPG"], r"there is no dataset\.json; it holds pictures, of which diptych curate run makes one"),
    ],
)
def test_what_is_no_dataset_is_refused(files: list[str] | None, said: str, tmp_path: Path) -> None:
    if files is not None:
        (tmp_path / "set").mkdir()
    for name in files or ():
        (tmp_path / "set" / name).touch()
    with pytest.raises(ShardError, match=rf"set: not a finished dataset directory: {said}"):
        open_dataset(tmp_path / "set")


def test_a_directory_that_holds_datasets_names_them(tmp_path: Path) -> None:
    make_dataset(tmp_path / "run/pool", good_rows(1))
    with pytest.raises(ShardError, match=r"there is no dataset\.json; did you mean .*run/pool\?$"):
        open_dataset(tmp_path / "run")


def test_an_unfinished_dataset_says_to_run_ingest_again(tmp_path: Path) -> None:
    write_shard(make_table(good_rows(2)), tmp_path / "set" / "data" / "00000.parquet")
    with pytest.raises(ShardError, match="it is not finished; run what makes it again"):
        open_dataset(tmp_path / "set")


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6), rows_per_shard=2)
    dataset.files[1].remove()
    with pytest.raises(ShardError, match=r"data/00001\.parquet: the shard is missing; run the command"):
        open_dataset(tmp_path)


def test_the_manifest_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    real = Location.write
    monkeypatch.setattr(Location, "write", lambda place, data: (written.append(place.name), real(place, data))[1])
    make_dataset(tmp_path, good_rows(2))
    assert written == [JOURNAL, "README.md", JOURNAL, "dataset.json"]


def test_the_card_counts_the_rows_and_points_at_the_data(tmp_path: Path) -> None:
    make_dataset(tmp_path, good_rows(3))
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nconfigs:\n")
    assert "path: data/*.parquet\n" in card
    assert "# tiny\n\n3 rows (pairs)" in card


def test_a_sealed_column_set_is_found_with_its_facts(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6))
    add_set(dataset)
    found = dataset.column_set("scores", "own-1")
    assert found is not None
    assert found.manifest == {"identity": IDENTITY, "columns": []}
    assert (found.name, [file.is_file() for file in found.files]) == ("own-1", [True, True])
    assert dataset.column_sets("scores") == [found]
    assert (found.location / JOURNAL).is_file()


def test_sets_are_listed_by_name_and_what_is_no_set_is_passed_over(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    for name in ("b-2", "a-1"):
        add_set(dataset, name)
    (tmp_path / "scores" / "empty").mkdir()
    (tmp_path / "scores" / "notes.txt").touch()
    assert [found.name for found in dataset.column_sets("scores")] == ["a-1", "b-2"]
    assert dataset.column_sets("embeddings") == []


def test_a_set_whose_shard_is_gone_or_cut_is_named_and_not_taken_for_one_that_never_was(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6))
    shard = add_set(dataset).location / "00001.parquet"
    shard.write(shard.read()[:-1])
    with pytest.raises(ShardError, match=r"own-1/00001\.parquet: is damaged: it has [0-9,]+ bytes"):
        dataset.column_set("scores", "own-1")
    shard.remove()
    with pytest.raises(ShardError, match=r"own-1/00001\.parquet: is missing; run the command that wrote it again"):
        dataset.column_sets("scores")


def test_a_finished_set_that_lost_its_manifest_is_named(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6))
    (add_set(dataset).location / "_score.json").remove()
    with pytest.raises(ShardError, match=r"own-1/_score\.json: is missing"):
        dataset.column_sets("scores")


@pytest.mark.parametrize("changed", [{"keys": "other"}, {"source": "other"}, {"source": ""}, {"name": "00009.parquet"}])
def test_a_set_with_other_keys_or_another_source_is_not_used(tmp_path: Path, changed: dict[str, str]) -> None:
    dataset = make_dataset(tmp_path, good_rows(6))
    place = add_set(dataset).location / "_score.json"
    manifest = read_manifest(place)
    write_manifest(place, manifest.facts, [manifest.shards[0], replace(manifest.shards[1], **changed)])
    assert dataset.column_set("scores", "own-1") is None
    assert dataset.column_sets("scores") == []


def test_a_set_is_not_used_once_the_data_has_more_shards_or_other_bytes(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6))
    add_set(dataset)
    assert make_dataset(tmp_path, good_rows(10)).column_set("scores", "own-1") is None
    other = [Row(picture(seed, quality=50), f"blobs number {seed}") for seed in range(6)]
    assert make_dataset(tmp_path, other).column_set("scores", "own-1") is None
    assert make_dataset(tmp_path, good_rows(6)).column_set("scores", "own-1") is not None


def test_a_killed_set_goes_on_where_it_was(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6), rows_per_shard=2)
    growing = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    growing.begin()
    write_part(growing, dataset.shards[1])
    assert dataset.column_set("scores", "own-1") is None

    again = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    assert not again.is_finished
    again.begin()
    assert [again.has(shard) for shard in dataset.shards] == [False, True, False]
    for shard in (dataset.shards[2], dataset.shards[0]):
        write_part(again, shard)
    sealed = again.seal({"columns": []})
    assert [shard.name for shard in sealed.shards] == [shard.name for shard in dataset.shards]

    last = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    assert last.is_finished
    assert all(last.has(shard) for shard in dataset.shards)
    assert last.seal({}) == sealed


def test_sealing_too_early_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6), rows_per_shard=2)
    growing = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    growing.begin()
    write_part(growing, dataset.shards[0])
    with pytest.raises(ShardError, match=r"scores/own-1/00001\.parquet: is missing"):
        growing.seal({})
    again = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    again.begin()
    assert [again.has(shard) for shard in dataset.shards] == [True, False, False]


def test_a_part_with_other_rows_than_the_data_is_not_sealed(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    growing = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    growing.begin()
    growing.commit(replace(write_part(growing, dataset.shards[0]), keys="of other rows"))
    with pytest.raises(ShardError, match="has other rows than the data"):
        growing.seal({})


def test_parts_made_from_other_data_are_made_again(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6), rows_per_shard=2)
    growing = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    growing.begin()
    write_part(growing, dataset.shards[0])
    write_part(growing, dataset.shards[1], source="what was there before")
    assert [growing.has(shard) for shard in dataset.shards] == [True, False, False]


def test_a_set_of_another_identity_under_the_same_name_begins_again(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    add_set(dataset)
    other = GrowingSet(dataset, "scores", "own-1", {**IDENTITY, "version": 2})
    assert not other.is_finished
    other.begin()
    assert not (other.location / "_score.json").exists()
    assert not other.has(dataset.shards[0])
    write_part(other, dataset.shards[0])
    third = GrowingSet(dataset, "scores", "own-1", {**IDENTITY, "version": 3})
    third.begin()
    assert not third.has(dataset.shards[0])


def test_an_identity_with_tuples_is_known_again(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    add_set(dataset, identity={"size": (2, 3)})
    assert GrowingSet(dataset, "scores", "own-1", {"size": (2, 3)}).is_finished
    assert not GrowingSet(dataset, "scores", "own-1", {"size": (3, 2)}).is_finished


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    growing = GrowingSet(dataset, "scores", "own-1", IDENTITY)
    (growing.location / ".00000.parquet.77.tmp").write(b"")
    growing.begin()
    assert [path.name for path in growing.location.path.iterdir()] == [JOURNAL]


def test_the_name_of_the_manifest_tells_the_kind_of_set(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(2))
    for folder, manifest in MANIFEST_OF.items():
        growing = GrowingSet(dataset, folder, "own-1", IDENTITY)
        growing.begin()
        write_part(growing, dataset.shards[0])
        assert (growing.seal({}).location / manifest).is_file()
        assert [found.name for found in dataset.column_sets(folder)] == ["own-1"]


def test_a_manifest_is_known_to_be_whole_without_being_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path, good_rows(12), rows_per_shard=1)
    written, real = [], manifests.json_text

    def counted(value: Mapping[str, Any]) -> str:
        written.append(len(value.get("shards", ())))
        return real(value)

    monkeypatch.setattr(manifests, "json_text", counted)
    assert open_dataset(tmp_path).shards == dataset.shards
    assert sum(written) == 0
    place = tmp_path / DATASET
    place.write_bytes(place.read_bytes().replace(b'"rows": 1,', b'"rows": 2,', 1))
    with pytest.raises(ShardError, match="is damaged: it is not what was written"):
        open_dataset(tmp_path)
