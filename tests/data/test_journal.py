import errno
import os
from pathlib import Path

import pytest

from diptych.data.shards import JOURNAL, Journal, ShardInfo, read_json, remove_temporary_files, write_json
from diptych.errors import ShardError


def info(name: str = "00000.parquet", source: str = "") -> ShardInfo:
    return ShardInfo(name, 1, 2, "sha", "keys", source)


def test_a_journal_knows_what_was_finished_before(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "data", "print", what="another input")
    (tmp_path / "data" / "00000.parquet").touch()
    journal.commit(info(source="s"))
    for known in (journal, Journal(tmp_path / "data", "print", what="another input")):
        assert known.finished("00000.parquet", source="s") == info(source="s")
        assert known.finished("00001.parquet") is None


def test_a_journal_demands_the_file_and_the_source(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "print", what="another input")
    journal.commit(info(source="s"))
    assert journal.finished("00000.parquet", source="s") is None
    (tmp_path / "00000.parquet").touch()
    assert journal.finished("00000.parquet", source="s") is not None
    assert journal.finished("00000.parquet", source="other") is None
    assert journal.finished("00000.parquet") is None


def test_the_last_entry_of_a_shard_counts(tmp_path: Path) -> None:
    (tmp_path / "00000.parquet").touch()
    journal = Journal(tmp_path, "print", what="another input")
    journal.commit(info(source="old"))
    journal.commit(info(source="new"))
    again = Journal(tmp_path, "print", what="another input")
    assert again.finished("00000.parquet", source="old") is None
    assert again.finished("00000.parquet", source="new") is not None


def test_a_journal_refuses_another_fingerprint_and_stays_as_it_was(tmp_path: Path) -> None:
    Journal(tmp_path, "print", what="another input").commit(info())
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(ShardError, match=r"made from another input; give another --out, or delete it"):
        Journal(tmp_path, "other", what="another input")
    assert (tmp_path / JOURNAL).read_bytes() == before


@pytest.mark.parametrize("torn", [b"{", b'{"name": "00001.parquet", "ro', b'{"name": "\xc3'])
def test_a_torn_last_line_is_cut_off_and_the_next_one_is_whole(tmp_path: Path, torn: bytes) -> None:
    for name in ("00000.parquet", "00001.parquet"):
        (tmp_path / name).touch()
    Journal(tmp_path, "print", what="another input").commit(info())
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(torn)
    journal = Journal(tmp_path, "print", what="another input")
    assert journal.finished("00000.parquet") == info()
    journal.commit(info("00001.parquet"))
    again = Journal(tmp_path, "print", what="another input")
    assert [again.finished(name) is not None for name in ("00000.parquet", "00001.parquet")] == [True, True]


@pytest.mark.parametrize("line", [b"{]\n", b"7\n", b'{"name": "00000.parquet"}\n', b'{"colour": 1}\n', b"\0\0\0\n"])
def test_a_damaged_journal_is_a_shard_error(tmp_path: Path, line: bytes) -> None:
    Journal(tmp_path, "print", what="another input")
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line)
    with pytest.raises(ShardError, match=r"_shards\.jsonl: damaged: .*delete the directory to begin again"):
        Journal(tmp_path, "print", what="another input")


def no_space(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, "print", what="another input")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ShardError, match=r"_shards\.jsonl: cannot be written: .*No space left"):
        journal.commit(info())
    (tmp_path / "file").touch()
    with pytest.raises(ShardError, match="cannot be written"):
        Journal(tmp_path / "file", "print", what="another input")


def test_a_closed_journal_is_gone_and_closing_twice_is_fine(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "print", what="another input")
    journal.close()
    journal.close()
    assert not (tmp_path / JOURNAL).exists()


def test_json_keeps_order_and_text_and_refuses_what_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": "ü", "a": [1]})
    assert path.read_text(encoding="utf-8") == '{\n "b": "ü",\n "a": [\n  1\n ]\n}\n'
    assert list(read_json(path)) == ["b", "a"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert list(read_json(path)) == ["b", "a"]
    for text, message in [("[1]", "holds no JSON object"), ("{", "damaged"), ("\udcff", "damaged")]:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        with pytest.raises(ShardError, match=message):
            read_json(path)
    with pytest.raises(ShardError, match="no such file"):
        read_json(tmp_path / "absent.json")


def test_only_temporary_files_are_removed(tmp_path: Path) -> None:
    for name in (".00000.parquet.123.tmp", "00000.parquet", "x.tmp", "_shards.jsonl"):
        (tmp_path / name).touch()
    remove_temporary_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.parquet", "_shards.jsonl", "x.tmp"]
    remove_temporary_files(tmp_path / "absent")
