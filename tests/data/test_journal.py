import errno
import json
import os
from pathlib import Path

import pytest

from diptych.data.journal import JOURNAL, Journal
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.storage.location import Location


def info(name: str = "00000.parquet", source: str = "") -> ShardInfo:
    return ShardInfo(name, 1, 2, "sha", "columns", "footer", "keys", source)


def begun(path: Path, fingerprint: str = "print") -> Journal:
    journal = Journal(Location.at(path))
    journal.begin("ingest", fingerprint)
    return journal


def test_a_journal_knows_what_was_finished_before_and_who_made_it(tmp_path: Path) -> None:
    begun(tmp_path).commit(info(source="s"))
    again = Journal(Location.at(tmp_path))
    assert (again.step, again.fingerprint, again.problems) == ("ingest", "print", [])
    assert again.entries == {"00000.parquet": info(source="s")}


def test_no_journal_knows_nothing(tmp_path: Path) -> None:
    journal = Journal(Location.at(tmp_path / "absent"))
    assert (journal.step, journal.fingerprint, journal.entries) == (None, None, {})


def test_the_last_entry_of_a_shard_counts(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.commit(info(source="old"))
    journal.commit(info(source="new"))
    assert Journal(Location.at(tmp_path)).entries == {"00000.parquet": info(source="new")}


def test_a_journal_that_is_begun_for_something_else_keeps_its_entries(tmp_path: Path) -> None:
    begun(tmp_path).commit(info())
    other = begun(tmp_path, "more")
    assert other.entries == Journal(Location.at(tmp_path)).entries == {"00000.parquet": info()}
    assert Journal(Location.at(tmp_path)).fingerprint == "more"


def test_beginning_again_for_the_same_changes_no_byte(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    for name in ("00001.parquet", "00000.parquet"):
        journal.commit(info(name))
    before = (tmp_path / JOURNAL).read_bytes()
    begun(tmp_path)
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_rewritten_it_lies_in_the_order_of_the_shards_whatever_the_order_of_work(tmp_path: Path) -> None:
    texts = []
    for order in ((0, 1, 2), (2, 0, 1)):
        journal = begun(tmp_path / str(order))
        for number in order:
            journal.commit(info(f"0000{number}.parquet"))
        journal.rewrite(journal.entries.values())
        texts.append((tmp_path / str(order) / JOURNAL).read_bytes())
    assert texts[0] == texts[1]


def test_the_order_holds_beyond_five_digits(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    for name in ("100000.parquet", "99999.parquet"):
        journal.commit(info(name))
    journal.rewrite(journal.entries.values())
    assert list(journal.entries) == ["99999.parquet", "100000.parquet"]


def test_what_is_forgotten_is_gone_after_the_next_reading(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    for number in range(3):
        journal.commit(info(f"0000{number}.parquet"))
    journal.forget(["00001.parquet", "00009.parquet"])
    assert list(Journal(Location.at(tmp_path)).entries) == ["00000.parquet", "00002.parquet"]


def test_each_line_says_what_the_directory_is_made_from(tmp_path: Path) -> None:
    begun(tmp_path).commit(info())
    head, line = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    for first in (b"", head[:20] + b"\n"):
        (tmp_path / JOURNAL).write_bytes(first + line)
        again = Journal(Location.at(tmp_path))
        assert (again.step, again.fingerprint, list(again.entries)) == ("ingest", "print", ["00000.parquet"])


def test_a_sealed_journal_knows_when_a_line_of_it_is_lost(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.commit(info())
    assert not Journal(Location.at(tmp_path)).is_whole
    journal.rewrite([info(), info("00001.parquet")], {"kind": "pairs"})
    assert journal.is_whole
    assert Journal(Location.at(tmp_path)).is_whole
    lines = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    for left in (lines[:-1], lines[1:], [*lines[:1], *lines[2:]]):
        (tmp_path / JOURNAL).write_bytes(b"".join(left))
        again = Journal(Location.at(tmp_path))
        assert (again.problems, again.is_whole) == ([], False)


@pytest.mark.parametrize("torn", [b"{", b'{"name": "00001.parquet", "ro', b'{"name": "\xc3'])
def test_a_torn_last_line_stands_for_nothing_and_the_next_one_is_whole(tmp_path: Path, torn: bytes) -> None:
    begun(tmp_path).commit(info())
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(torn)
    journal = begun(tmp_path)
    assert journal.entries == {"00000.parquet": info()}
    journal.commit(info("00001.parquet"))
    assert list(Journal(Location.at(tmp_path)).entries) == ["00000.parquet", "00001.parquet"]


@pytest.mark.parametrize("line", [b"{]\n", b"7\n", b'{"name": "00000.parquet"}\n', b'{"colour": 1}\n', b"\0\0\0\n"])
def test_a_line_that_was_not_written_is_named_and_goes(tmp_path: Path, line: bytes) -> None:
    begun(tmp_path).commit(info())
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line)
    found = Journal(Location.at(tmp_path))
    assert found.problems == [f"{tmp_path / JOURNAL}: line 3 is not what was written"]
    assert found.entries == begun(tmp_path).entries == {"00000.parquet": info()}
    assert Journal(Location.at(tmp_path)).problems == []


def test_every_flipped_bit_of_every_line_is_noticed(tmp_path: Path) -> None:
    begun(tmp_path).commit(info())
    path = tmp_path / JOURNAL
    whole = path.read_bytes()
    for at in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
            found = Journal(Location.at(tmp_path))
            intact = (found.step, found.fingerprint, found.entries) == ("ingest", "print", {"00000.parquet": info()})
            assert found.problems or not intact, (at, bit)


def test_an_entry_of_another_shape_is_named(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    journal.commit(info())
    lines = (tmp_path / JOURNAL).read_text().splitlines()
    assert json.loads(lines[1])["columns"] == "columns"
    (tmp_path / JOURNAL).write_text(lines[0] + "\n" + lines[0] + "\n")
    assert Journal(Location.at(tmp_path)).entries == {}


def no_space(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun(tmp_path)
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ShardError, match=r"_shards\.jsonl: cannot be written: .*No space left"):
        journal.commit(info())
    (tmp_path / "file").touch()
    with pytest.raises(ShardError, match="cannot be written"):
        begun(tmp_path / "file")
