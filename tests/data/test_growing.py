from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_dataset import good_rows, make_table

from diptych.data.damage import ShardFile, content_problem
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data, staged
from diptych.data.journal import JOURNAL, Journal
from diptych.data.shards import ShardInfo, shard_name, write_shard
from diptych.errors import ShardError
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location

PRINT = "0" * 64
NAMES = [shard_name(number) for number in range(4)]
ROWS = 2


def make(growing: Growing, numbers: list[int]) -> None:
    for number in numbers:
        table = make_table(good_rows(8)[number * ROWS : (number + 1) * ROWS], number * ROWS)
        growing.commit(write_shard(table, growing.directory / NAMES[number]))


def run(path: Path, fingerprint: str = PRINT) -> tuple[Dataset, list[int]]:
    """Do what every command does: go on, make what is missing, seal; return also what was made."""
    location = Location.at(path)
    growing = grow_data(location, "ingest", fingerprint)
    finished = sealed_data(location, fingerprint)
    if finished is not None:
        return finished, []
    growing.begin()
    missing = [number for number, name in enumerate(NAMES) if growing.finished(name) is None]
    make(growing, missing)
    return seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES), missing


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_a_grown_directory_is_a_dataset_and_a_second_run_makes_nothing(tmp_path: Path) -> None:
    dataset, made = run(tmp_path)
    assert (dataset.rows, made) == (8, [0, 1, 2, 3])
    before = contents(tmp_path)
    assert run(tmp_path) == (dataset, [])
    assert contents(tmp_path) == before
    assert list(before) == ["README.md", *(f"data/{name}" for name in NAMES), f"data/{JOURNAL}", "dataset.json"]


def test_what_is_sealed_does_not_depend_on_the_order_in_which_shards_came(tmp_path: Path) -> None:
    run(tmp_path / "in order")
    growing = grow_data(Location.at(tmp_path / "any"), "ingest", PRINT)
    growing.begin()
    make(growing, [3, 0, 2, 1])
    seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES)
    assert contents(tmp_path / "any") == contents(tmp_path / "in order")


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def without_last_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def ending_in_zeros(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40] + bytes(40))


# What is lost of a run that had finished shards 0 and 1 when the power went, and what must be made again.
UNFINISHED: dict[str, tuple[str, Callable[[Path], None], list[int]]] = {
    "newest shard zeroed": (NAMES[1], zeroed, [1, 2, 3]),
    "newest shard halved": (NAMES[1], halved, [1, 2, 3]),
    "newest shard emptied": (NAMES[1], emptied, [1, 2, 3]),
    "newest shard gone": (NAMES[1], Path.unlink, [1, 2, 3]),
    "journal line gone": (JOURNAL, without_last_line, [1, 2, 3]),
    "journal line torn": (JOURNAL, torn, [1, 2, 3]),
    "journal line zeroed": (JOURNAL, ending_in_zeros, [1, 2, 3]),
    "journal zeroed": (JOURNAL, zeroed, [0, 1, 2, 3]),
}


@pytest.mark.parametrize("state", UNFINISHED)
def test_after_a_power_loss_exactly_what_was_lost_is_made_again(tmp_path: Path, state: str) -> None:
    run(tmp_path / "undisturbed")
    growing = grow_data(Location.at(tmp_path / "lost"), "ingest", PRINT)
    growing.begin()
    make(growing, [0, 1])
    name, damage, again = UNFINISHED[state]
    damage(tmp_path / "lost" / "data" / name)
    assert run(tmp_path / "lost")[1] == again
    assert contents(tmp_path / "lost") == contents(tmp_path / "undisturbed")


# The same of a run that was finished.
FINISHED: dict[str, tuple[str, Callable[[Path], None], list[int]]] = {
    "manifest zeroed": ("dataset.json", zeroed, []),
    "manifest emptied": ("dataset.json", emptied, []),
    "manifest halved": ("dataset.json", halved, []),
    "manifest gone": ("dataset.json", Path.unlink, []),
    "shard halved": (f"data/{NAMES[2]}", halved, [2]),
    "shard gone": (f"data/{NAMES[2]}", Path.unlink, [2]),
}


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_dataset_that_lost_a_file_gets_it_back(tmp_path: Path, state: str) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    name, damage, again = FINISHED[state]
    damage(tmp_path / name)
    with pytest.raises(ShardError, match=name.rpartition("/")[2] if state != "manifest gone" else "is not finished"):
        open_dataset(tmp_path)
    assert run(tmp_path)[1] == again
    assert contents(tmp_path) == before


def test_leftovers_of_killed_writers_go(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "data" / ".00000.parquet.77.tmp").touch()
    run(tmp_path)
    assert contents(tmp_path) == before


def test_a_dataset_of_another_fingerprint_is_told_from_a_finished_one(tmp_path: Path) -> None:
    run(tmp_path)
    growing = grow_data(Location.at(tmp_path), "ingest", "1" * 64)
    assert (growing.made_from, sealed_data(Location.at(tmp_path), "1" * 64)) == (PRINT, None)
    assert open_dataset(tmp_path).manifest["made_by"] == {"step": "ingest", "fingerprint": PRINT}


def test_nothing_is_known_to_be_made_from_before_a_shard_is_finished(tmp_path: Path) -> None:
    grow_data(Location.at(tmp_path), "ingest", PRINT).begin()
    assert grow_data(Location.at(tmp_path), "ingest", "1" * 64).made_from is None


def test_shards_that_no_longer_belong_are_dropped_with_their_files(tmp_path: Path) -> None:
    run(tmp_path)
    growing = grow_data(Location.at(tmp_path), "ingest", "1" * 64)
    growing.begin()
    dataset = seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES[:2])
    assert dataset.rows == 2 * ROWS
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [*NAMES[:2], JOURNAL]
    assert list(Journal(Location.at(tmp_path / "data")).entries) == NAMES[:2]


def test_sealing_without_a_shard_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin()
    make(growing, [0, 2])
    with pytest.raises(ShardError, match=r"data/00001\.parquet: is not finished; run again"):
        seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES)
    assert run(tmp_path)[1] == [1, 3]


def test_begun_without_keeping_everything_is_made_anew(tmp_path: Path) -> None:
    run(tmp_path)
    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin(keep=False)
    assert (growing.entries, (tmp_path / "dataset.json").exists()) == ({}, False)


def test_two_datasets_have_cards_that_tell_them_apart(tmp_path: Path) -> None:
    for name, rows in (("a", NAMES), ("b", NAMES[:3])):
        growing = grow_data(Location.at(tmp_path / name / "selected"), "export", PRINT)
        growing.begin()
        make(growing, list(range(len(rows))))
        seal_data(growing, {"kind": "pairs", "name": "grown"}, rows)
    cards = {name: (tmp_path / name / "selected" / "README.md").read_text() for name in "ab"}
    names = {card.partition("config_name: ")[2].partition("\n")[0] for card in cards.values()}
    assert len(names) == 2


def replaced(growing: Growing, number: int) -> ShardInfo:
    """Write the next version of a shard, with the rows of another one."""
    place = growing.directory / NAMES[number]
    table = make_table(good_rows(12)[8 : 8 + ROWS], number * ROWS)
    return replace(write_shard(table, staged(place)), name=NAMES[number])


def test_a_replaced_shard_is_what_a_run_that_made_it_so_at_once_would_have(tmp_path: Path) -> None:
    run(tmp_path / "one")
    growing = grow_data(Location.at(tmp_path / "one"), "ingest", PRINT)
    growing.begin()
    growing.replace(replaced(growing, 2))
    seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES)
    other = grow_data(Location.at(tmp_path / "other"), "ingest", PRINT)
    other.begin()
    make(other, [0, 1, 3])
    other.commit(write_shard(make_table(good_rows(12)[8 : 8 + ROWS], 2 * ROWS), other.directory / NAMES[2]))
    seal_data(other, {"kind": "pairs", "name": "grown"}, NAMES)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_a_shard_is_the_old_or_the_new_one_whenever_its_replacing_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin()
    old, new = growing.entries[NAMES[1]], replaced(growing, 1)
    assert grow_data(Location.at(tmp_path), "ingest", PRINT).entries[NAMES[1]] == old

    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin()  # killed before the journal was told: the next version is nothing
    assert not staged(growing.directory / NAMES[1]).exists()
    assert not content_problem(ShardFile(growing.directory / NAMES[1], old))

    new = replaced(growing, 1)
    monkeypatch.setattr(LocalLocation, "move_to", lambda *_: None)
    growing.replace(new)
    monkeypatch.undo()
    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin()  # killed before the move
    assert growing.entries[NAMES[1]] == new
    assert not content_problem(ShardFile(growing.directory / NAMES[1], new))
    assert sorted(growing.entries) == NAMES


def test_a_shard_that_was_written_and_never_noted_does_not_stay(tmp_path: Path) -> None:
    run(tmp_path)
    growing = grow_data(Location.at(tmp_path), "ingest", PRINT)
    growing.begin()
    write_shard(make_table(good_rows(2), 0), growing.directory / shard_name(7))
    seal_data(growing, {"kind": "pairs", "name": "grown"}, NAMES)
    assert [path.name for path in sorted((tmp_path / "data").glob("*.parquet"))] == NAMES
