"""Texts beside pictures that say what these were made from."""

from collections.abc import Mapping
from pathlib import Path

from drawn import picture
from made_elsewhere import imported, rows_of


def write(folder: Path, files: Mapping[str, str | None]) -> Path:
    """Write files; None is a picture of its own."""
    folder.mkdir()
    for number, (name, text) in enumerate(files.items()):
        (folder / name).write_bytes(picture(number, kind="PNG") if text is None else text.encode())
    return folder


INFOTEXT = "a fish\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5"


def test_texts_beside_pictures_are_their_prompts(tmp_path: Path) -> None:
    """Names are no ids there, whatever numbers they are; A1111's whole infotext is read as one."""
    (tmp_path / "asked.txt").write_text("a red boat\na fish\na clock\n")
    files = {"0.png": None, "0.txt": "A red boat.\n", "1.png": None, "1.txt": INFOTEXT, "2.png": None, "2.txt": "0 .5"}
    facts = imported(write(tmp_path / "in", files), "--prompts", tmp_path / "asked.txt", "--out", tmp_path / "out")
    assert (facts["layout"], facts["why"]) == ("texts", "3 of 3 pictures have a text of their name beside them")
    found = {row["file"]: row for row in rows_of(tmp_path / "out") if row["status"] == "ok"}
    assert [found[name]["caption"] for name in ("0.png", "1.png", "2.png")] == ["a red boat", "a fish", "a fish"]
    assert [found["1.png"][name] for name in ("negative_prompt", "seed", "steps")] == ["blurry", 5, 20]


def test_texts_beside_some_pictures_are_told_where_they_are_not_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"whoops_1.png": None, "whoops_2.png": None, "whoops_2.txt": "a fish"})
    facts = imported(folder, "--out", tmp_path / "out")
    assert facts["layout"] == "dsg"
    assert facts["notes"] == [
        "1 text beside pictures, such as that of whoops_2.png, not read; --layout texts reads what they say"
    ]
