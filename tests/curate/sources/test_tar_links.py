"""Links in a tar are followed within it, packed or not, and lead nowhere else."""

import io
import tarfile
from pathlib import Path

import pytest
from source_rows import range_of, rows_of

from diptych.curate.config import WebDataset
from diptych.curate.sources import tar_reading

HARD, SYMBOLIC = tarfile.LNKTYPE, tarfile.SYMTYPE
FILE = tarfile.REGTYPE


def write_tar(path: Path, members: list[tuple[str, bytes, bytes, str]], mode: str = "w") -> WebDataset:
    """Write members: name, type, content, and where it leads."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is no literal
        for name, kind, data, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), target
            tar.addfile(info, io.BytesIO(data))
    return WebDataset(kind="webdataset", path=path)


def found_in(settings: WebDataset) -> list[tuple[str, bytes | None, str | None, str | None]]:
    return [(row["member"], row["__bytes"], row["caption"], row["__problem"]) for row in rows_of(settings)]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_links_are_pictures_and_texts_as_where_a_tar_is_unpacked(mode: str, tmp_path: Path) -> None:
    members = [
        ("a/0.jpg", FILE, b"zero", ""),
        ("a/0.txt", FILE, b"a cat", ""),
        ("./a/1.jpg", HARD, b"", "a/0.jpg"),
        ("a/1.txt", SYMBOLIC, b"", "0.txt"),
        ("b/2.jpg", SYMBOLIC, b"", "../a/1.jpg"),
        ("b/2.txt", FILE, b"a dog", ""),
        ("latest", SYMBOLIC, b"", "b"),
    ]
    settings = write_tar(tmp_path / "t.tar", members, mode)
    expected = [("a/0", b"zero", "a cat", None), ("a/1", b"zero", "a cat", None), ("b/2", b"zero", "a dog", None)]
    assert found_in(settings) == expected
    assert range_of(settings, 1, 3) == rows_of(settings)[1:]


def test_a_link_leads_through_links_to_folders_and_those_are_no_rows(tmp_path: Path) -> None:
    members = [
        ("p/0.jpg", FILE, b"zero", ""),
        ("p/0.txt", FILE, b"a cat", ""),
        ("u", SYMBOLIC, b"", "p"),
        ("again", SYMBOLIC, b"", "./u"),
        ("top", SYMBOLIC, b"", "."),
        ("v/0.jpg", SYMBOLIC, b"", "../u/0.jpg"),
        ("v/0.txt", SYMBOLIC, b"", "../top/again/0.txt"),
        ("w/0.jpg", HARD, b"", "u/0.jpg"),
        ("x/0.jpg", SYMBOLIC, b"", "../ring/0.jpg"),
        ("ring", SYMBOLIC, b"", "ring/ring"),
    ]
    assert found_in(write_tar(tmp_path / "t.tar", members)) == [
        ("p/0", b"zero", "a cat", None),
        ("v/0", b"zero", "a cat", None),
        ("w/0", b"zero", None, None),
        ("x/0", None, None, "unreadable: a link to ../ring/0.jpg, which is no file of the tar"),
        ("ring", None, None, None),
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize(
    ("kind", "target"),
    [(SYMBOLIC, "/etc/passwd"), (SYMBOLIC, "../../../etc/passwd"), (HARD, "etc/passwd"), (SYMBOLIC, "0.jpg")],
    ids=["from the root", "upwards", "hard", "in a circle"],
)
def test_a_link_that_leads_to_no_file_of_its_tar_is_a_row_that_says_so(
    kind: bytes, target: str, mode: str, tmp_path: Path
) -> None:
    settings = write_tar(tmp_path / "t.tar", [("0.jpg", kind, b"", target), ("0.txt", FILE, b"a cat", "")], mode)
    said = f"unreadable: a link to {target}, which is no file of the tar"
    assert found_in(settings) == [("0", None, "a cat", said)]


def test_a_pipe_in_a_tar_is_a_row_that_says_so(tmp_path: Path) -> None:
    settings = write_tar(tmp_path / "t.tar", [("0.jpg", tarfile.FIFOTYPE, b"", ""), ("1.jpg", FILE, b"one", "")])
    assert found_in(settings) == [
        ("0", None, None, "unreadable: no regular file"),
        ("1", b"one", None, None),
    ]


def test_a_hard_link_leads_to_what_had_the_name_before_it(tmp_path: Path) -> None:
    members = [("0.jpg", FILE, b"old", ""), ("1.jpg", HARD, b"", "0.jpg"), ("0.jpg", FILE, b"new", "")]
    found = found_in(write_tar(tmp_path / "t.tar", members))
    assert [(member, data) for member, data, _, _ in found] == [("0", b"old"), ("1", b"old"), ("0", b"new")]


def test_links_of_a_packed_tar_hold_a_bounded_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_reading, "MAX_KEPT_BYTES", 150)
    pictures = [(f"{row}.jpg", FILE, b"%d" % row * 100, "") for row in range(3)]
    links = [(f"link{row}.jpg", HARD, b"", f"{row}.jpg") for row in range(2)]
    found = found_in(write_tar(tmp_path / "t.tar", [*pictures, *links], "w:gz"))
    assert [(data is not None, problem) for _, data, _, problem in found] == [
        *[(True, None)] * 4,
        (False, tar_reading.TORN),
    ]
