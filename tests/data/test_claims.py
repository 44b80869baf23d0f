from pathlib import Path

import pytest
from tiny_dataset import good_rows, make_dataset, make_table

from diptych.data.claims import check_claim, owner_of
from diptych.data.growing import grow_data
from diptych.data.journal import JOURNAL
from diptych.data.shards import write_shard
from diptych.errors import ShardError
from diptych.storage.location import Location


def test_a_directory_that_is_not_there_or_empty_is_free(tmp_path: Path) -> None:
    assert owner_of(Location.at(tmp_path)) is None
    check_claim(Location.at(tmp_path), "ingest")
    check_claim(Location.at(tmp_path / "absent"), "ingest")


def test_hidden_files_and_notes_do_not_keep_a_directory_from_being_used(tmp_path: Path) -> None:
    for name in (".lock", ".gitignore", "README.md", "timings.jsonl"):
        (tmp_path / name).touch()
    check_claim(Location.at(tmp_path), "generate")


@pytest.mark.parametrize("lost", ["nothing", "manifest", "journal"])
def test_a_dataset_belongs_to_the_step_that_made_it(tmp_path: Path, lost: str) -> None:
    make_dataset(tmp_path, good_rows(2))
    if lost != "nothing":
        (tmp_path / {"manifest": "dataset.json", "journal": f"data/{JOURNAL}"}[lost]).unlink()
    assert owner_of(Location.at(tmp_path)) == "test"
    check_claim(Location.at(tmp_path), "test")
    with pytest.raises(
        ShardError, match=r"holds a dataset that test made, and generate would lose it; give another --out"
    ):
        check_claim(Location.at(tmp_path), "generate")


def test_a_dataset_that_is_growing_belongs_to_who_began(tmp_path: Path) -> None:
    grow_data(Location.at(tmp_path), "ingest", "0" * 64).begin()
    with pytest.raises(ShardError, match="a dataset that ingest made"):
        grow_data(Location.at(tmp_path), "generate", "0" * 64)


@pytest.mark.parametrize("name", ["pool/dataset.json", "thesis.txt", "selected/data/00000.parquet"])
def test_what_no_dataset_has_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("years of work")
    with pytest.raises(ShardError, match=f"holds {name.partition('/')[0]}, which diptych has not written there"):
        grow_data(Location.at(tmp_path), "generate", "0" * 64)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [path]


def test_shards_that_nobody_noted_are_not_written_over(tmp_path: Path) -> None:
    write_shard(make_table(good_rows(2)), tmp_path / "data" / "train.parquet")
    with pytest.raises(ShardError, match=r"holds data/train\.parquet, which diptych has not written there"):
        check_claim(Location.at(tmp_path), "ingest")


def test_a_journal_of_which_no_line_is_left_is_begun_anew(tmp_path: Path) -> None:
    make_dataset(tmp_path, good_rows(2))
    (tmp_path / "dataset.json").unlink()
    journal = tmp_path / "data" / JOURNAL
    journal.write_bytes(bytes(journal.stat().st_size))
    growing = grow_data(Location.at(tmp_path), "ingest", "0" * 64)
    growing.begin()
    assert growing.entries == {}
