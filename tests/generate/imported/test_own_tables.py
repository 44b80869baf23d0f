"""Tables that lie in a folder: several at its top, one in the folder of each model, and those that are not read."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import import_, imported, rows_of

TEXTS = ("a red fish", "a blue boat")


def write(folder: Path, tables: Mapping[str, str], pictures: tuple[str, ...]) -> Path:
    for number, name in enumerate(pictures):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(number, kind="PNG"))
    for name, text in tables.items():
        (folder / name).write_text(text)
    return folder


def said(path: Path) -> list[tuple[str, str, str]]:
    return [(row["file"], row["caption"], row["model"]) for row in rows_of(path) if row["status"] == "ok"]


ROWS = "\n".join(json.dumps({"file_name": f"{at}.png", "prompt": text}) for at, text in enumerate(TEXTS))
PICTURES = ("flux/0.png", "flux/1.png", "sdxl/0.png", "sdxl/1.png")


def test_a_table_in_the_folder_of_each_model_says_what_lies_beside_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {f"{model}/metadata.jsonl": ROWS for model in ("flux", "sdxl")}, PICTURES)
    facts = imported(folder, "--out", tmp_path / "out")
    assert facts["why"] == "flux/metadata.jsonl, sdxl/metadata.jsonl name the files"
    assert (facts["usable"], facts["flaws"]) == (4, [])
    assert said(tmp_path / "out") == [(name, TEXTS[int(name[5])], name[:4]) for name in PICTURES]


def test_other_tables_in_folders_are_told_where_they_are_not_read(tmp_path: Path) -> None:
    tables = {"flux/said.jsonl": ROWS, "flux/scores.csv": "name,score\na,1\n", "sdxl/metadata.jsonl": ROWS}
    folder = write(tmp_path / "in", tables, PICTURES)
    note = "1 table that names files, not read: flux/said.jsonl"
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["usable"], facts["counts"]["misnamed"]) == ("table", 2, 2)
    assert facts["notes"][0].startswith(note)
    (folder / "sdxl/metadata.jsonl").unlink()
    shown = import_(folder, "--out", tmp_path / "any").output
    assert f"note      {note}; called metadata, such a table in a folder is read" in shown
    assert "nothing that is read says what they were asked for" in shown


def test_several_tables_at_the_top_are_read_as_one(tmp_path: Path) -> None:
    tables = {"a.csv": "file,prompt\n0.png,a red fish\n", "b.csv": "file,prompt,who\n1.png,a blue boat,me\n"}
    folder = write(tmp_path / "in", tables, ("0.png", "1.png", "2.png"))
    facts = imported(folder, "--model", "m", "--out", tmp_path / "out")
    assert (facts["why"], facts["unused_columns"]) == ("a.csv, b.csv name the files", {"who": ""})
    assert said(tmp_path / "out") == [("0.png", "a red fish", "m"), ("1.png", "a blue boat", "m")]
    assert [flaw["what"] for flaw in facts["flaws"]] == ["no table names it"]


@pytest.mark.parametrize(
    ("other", "why"),
    [("0.png", "a.csv and b.csv both name 0.png"), ("/x/9.png", "b.csv names no file that is there")],
)
def test_several_tables_that_are_not_of_one_folder_are_not_read_and_told(other: str, why: str, tmp_path: Path) -> None:
    """As results of GenEval lie beside its folders, a file for each judge."""
    tables = {"a.csv": "file,prompt\n0.png,a red fish\n", "b.csv": f"file,prompt\n{other},a red fish\n"}
    folder = write(tmp_path / "in", tables, ("0.png",))
    facts = imported(folder, "--out", tmp_path / "out")
    said = f"{why}; of several tables give the one that counts as the source"
    assert (facts["layout"], facts["notes"]) == ("any", [f"tables not read: {folder}: {said}"])
    refused = import_(folder, "--layout", "table", "--out", tmp_path / "out")
    assert (refused.exit_code, said in refused.output) == (1, True)
    assert imported(folder / "a.csv", "--out", tmp_path / "of_a")["usable"] == 1
