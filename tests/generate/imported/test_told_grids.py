"""Grids of a folder with a table: the table says what a file is, and its pictures are cut out of it all the same."""

import json
from pathlib import Path

import pytest
from drawn import picture
from image_bytes import pixels
from made_elsewhere import grid_of, imported, rows_of


@pytest.mark.parametrize("rows", ["one", "each"])
def test_grids_that_a_table_names_are_cut_too(rows: str, tmp_path: Path) -> None:
    grids = {f"partiprompts{number}.png": grid_of(range(4 * number, 4 * number + 4)) for number in range(2)}
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in {**grids, "left.png": picture(9, kind="PNG")}.items():
        (folder / name).write_bytes(data)
    told = [{"file_name": name, "prompt": f"cat {name[12]}", "seed": 5} for name in grids]
    if rows == "each":
        told = [{**one, "seed": seed, "sample": seed} for one in told for seed in range(4)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["rows"], facts["usable"]) == ("table", 9, 8)
    assert facts["why"].startswith("metadata.jsonl names the files, and files are called by ids of DPG-Bench")
    found = [row for row in rows_of(tmp_path / "out") if row["status"] == "ok"]
    for number, row in enumerate(found):
        assert (row["caption"], row["sample"], row["tile"]) == (f"cat {number // 4}", number % 4, number % 4)
        assert (pixels(row["image"]["bytes"]) == pixels(picture(number, kind="PNG"))).all()
        assert row["seed"] == (5 if rows == "one" else number % 4)
    single = imported(folder, "--out", tmp_path / "single", "--layout", "table")
    assert single["usable"] == (2 if rows == "one" else 8)
    assert "tile" not in rows_of(tmp_path / "single")[0]
