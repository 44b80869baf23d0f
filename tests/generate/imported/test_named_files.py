"""Which files of a folder the paths of a table are, and that a lost one is never another."""

from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import imported, rows_of

from diptych.generate.imported.found_images import SourceFolder
from diptych.generate.imported.named_files import find_named

BOTH = [f"/home/joe/out/{model}/{number}.png" for model in ("sd", "flux") for number in range(3)]


@pytest.mark.parametrize(
    ("root", "there", "written", "found"),
    [
        ("in", "sd/0.png sd/2.png flux/1.png", BOTH, "sd/0.png . sd/2.png . flux/1.png ."),
        ("in", "flux/0.png flux/1.png flux/2.png", BOTH, ". . . flux/0.png flux/1.png flux/2.png"),
        ("in", "flux/0.png 0.png 1.png", BOTH, ". . . flux/0.png . ."),
        ("flux", "0.png 1.png 2.png", BOTH, ". . . 0.png 1.png 2.png"),
        ("in", "0.png 1.png 2.png", BOTH, ". . . . . ."),
        ("in", "sd/0.png older run/1.png 1.png", BOTH[:3], "sd/0.png . ."),
        ("in", "older run/1.png", ["1.png"], "."),
        ("in", "sd/0.png 1.png", ["sd/0.png", "sd/1.png", "flux/1.png"], "sd/0.png . ."),
        ("in", "images/0.png images/1.png", ["out/7/images/0.png", "out/7/images/1.png"], "images/0.png images/1.png"),
        ("in", "0.png 1.png", ["in/0.png", "in/1.png"], "0.png 1.png"),
        ("in", "images/0.png images/1.png", ["/a/1/images/0.png", "/a/2/images/1.png"], "images/0.png images/1.png"),
        ("in", "images/0.png", ["/a/1/images/0.png", "/a/2/images/0.png"], ". ."),
        ("in", "a/0.png", ["C:\\\\out\\\\a\\\\0.png", "D:/out/b/0.png"], "a/0.png ."),
        ("in", "a/0.png b/0.png", ["./a/0.png", "a//0.png", "c/../b/0.png"], "a/0.png a/0.png b/0.png"),
        ("in", "1.png", ["../1.png"], "1.png"),
        ("in", "1.png", ["../1.png", "1.png"], ". 1.png"),
    ],
)  # fmt: skip
def test_a_file_is_that_of_which_all_folders_stand_in_its_path(
    root: str, there: str, written: list[str], found: str, tmp_path: Path
) -> None:
    """A dot is a file that is not there."""
    names = tuple(there.replace("older run", "older_run").split())
    named = find_named(SourceFolder(tmp_path / root, names), written)
    assert [named[path] if named[path] in names else "." for path in written] == found.split()


def test_a_picture_of_another_run_is_not_taken_for_a_lost_one(tmp_path: Path) -> None:
    for at, name in enumerate(("sd/0.png", "sd/2.png", "older run/1.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(picture(at, kind="PNG"))
    rows = "".join(f"/home/joe/out/sd/{number}.png,text {number}\n" for number in range(3))
    (tmp_path / "in/metadata.csv").write_text(f"file,prompt\n{rows}")
    imported(tmp_path / "in", "--out", tmp_path / "out")
    found = [(row["file"], row["caption"], row["status"]) for row in rows_of(tmp_path / "out")]
    assert found == [
        ("sd/0.png", "text 0", "ok"),
        ("/home/joe/out/sd/1.png", "text 1", "missing"),
        ("sd/2.png", "text 2", "ok"),
        ("older run/1.png", None, "misnamed"),
    ]
