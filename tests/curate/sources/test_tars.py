"""Where a tar ends, and that it is said when that is not its end."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from source_rows import make_tar

from diptych.curate.sources.packings import packing
from diptych.curate.sources.tars import MODES, BehindEnd, open_tar

BLOCK = tarfile.BLOCKSIZE
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def tar_of(folder: Path, *names: str) -> bytes:
    """Return a tar of members of one block each, which is two with the header."""
    make_tar(folder / "made.tar", [(name, name.encode()) for name in names])
    return (folder / "made.tar").read_bytes()


def members_of(path: Path) -> list[tuple[str, bytes]]:
    with open_tar(str(path)) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar.entries()]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", PACKERS)
def test_tars_that_were_appended_to_each_other_are_all_read(kind: str, tmp_path: Path) -> None:
    one, two = (PACKERS[kind](tar_of(tmp_path, *names)) for names in (("0", "1"), ("1",)))
    (tmp_path / "t.tar").write_bytes(one + two)
    assert MODES.get(packing(str(tmp_path / "t.tar")), "") == kind
    assert members_of(tmp_path / "t.tar") == [("0", b"0"), ("1", b"1"), ("1", b"1")]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[: 2 * BLOCK], "the mark of its end is missing"),
        (lambda data: data[: 2 * BLOCK + 100], "truncated header"),
        (lambda data: data[: 3 * BLOCK], "unexpected end of data"),
        (lambda data: data[: 2 * BLOCK] + b"\xff" + data[2 * BLOCK + 1 :], "bad checksum"),
        (lambda data: data[: 2 * BLOCK] + b"x" * BLOCK + data[3 * BLOCK :], "invalid header"),
    ],
)
def test_a_tar_that_ends_before_its_mark_is_an_error(
    spoil: Callable[[bytes], bytes], said: str, tmp_path: Path
) -> None:
    (tmp_path / "t.tar").write_bytes(spoil(tar_of(tmp_path, "0", "1")))
    with pytest.raises(tarfile.ReadError, match=said) as caught:
        members_of(tmp_path / "t.tar")
    assert not isinstance(caught.value, BehindEnd)


def test_a_long_name_without_its_member_is_an_error(tmp_path: Path) -> None:
    data = tar_of(tmp_path, "0", "n" * 200)
    (tmp_path / "t.tar").write_bytes(data[: 4 * BLOCK] + bytes(20 * BLOCK))
    with pytest.raises(tarfile.ReadError) as caught:
        members_of(tmp_path / "t.tar")
    assert not isinstance(caught.value, BehindEnd)


@pytest.mark.parametrize("kind", PACKERS)
def test_what_is_behind_an_end_and_no_tar_is_another_error(kind: str, tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(PACKERS[kind](tar_of(tmp_path, "0") + b"junk" * BLOCK))
    with pytest.raises(BehindEnd, match="behind its end cannot be read: invalid header"):
        members_of(tmp_path / "t.tar")


def test_a_packed_tar_is_checked_to_its_last_byte(tmp_path: Path) -> None:
    packed = gzip.compress(tar_of(tmp_path, "0"))
    (tmp_path / "t.tar").write_bytes(packed[:-8] + bytes(4) + packed[-4:])
    with pytest.raises(BehindEnd, match="CRC check failed"):
        members_of(tmp_path / "t.tar")


def test_an_empty_tar_has_no_members(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(tar_of(tmp_path))
    assert members_of(tmp_path / "t.tar") == []
