import json
from pathlib import Path

import pytest
from tiny_dataset import good_rows, make_dataset, make_table

from diptych.data.claims import check_apart, check_claim, claimed, is_report, owner_of
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


@pytest.mark.parametrize("lost", ["nothing", "dataset.json", f"data/{JOURNAL}"])
@pytest.mark.parametrize("place", ["sub", "data/00000.parquet", "scores/a/b"])
def test_a_place_inside_a_dataset_is_nobody_elses(tmp_path: Path, lost: str, place: str) -> None:
    make_dataset(tmp_path / "set", good_rows(2))
    if lost != "nothing":
        (tmp_path / "set" / lost).unlink()
    with pytest.raises(
        ShardError, match=f"{place}: lies inside the dataset {tmp_path}/set; give a place outside of it"
    ):
        check_apart(Location.at(tmp_path / "set" / place))
    check_apart(Location.at(tmp_path / "set"))
    check_apart(Location.at(tmp_path / "beside"))


def test_a_place_inside_a_dataset_of_another_version_is_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"format_version": 1}))
    with pytest.raises(ShardError, match="lies inside the dataset"):
        check_apart(Location.at(tmp_path / "sub"))


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"format": 1, "tests": 3}'])
def test_a_file_of_that_name_alone_makes_no_report_and_no_dataset(tmp_path: Path, text: str) -> None:
    for name in ("report.json", "dataset.json"):
        (tmp_path / name).write_text(text)
    assert not is_report(Location.at(tmp_path))
    if "format" not in text:
        check_apart(Location.at(tmp_path / "sub"))


def test_a_directory_that_is_refused_is_neither_made_nor_locked(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(2))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/0.jpg").touch()
    before = sorted(tmp_path.rglob("*"))
    for place in ("set", "set/sub", "photos"):
        with pytest.raises(ShardError), claimed(tmp_path / place, "generate"):
            raise AssertionError(place)
    assert sorted(tmp_path.rglob("*")) == before
