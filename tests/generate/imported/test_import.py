"""An import from the command line: what becomes of each file, what is said of it, and what a rerun does."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import PROMPTS, draw_images, import_, imported, rows_of, spoil

from diptych.data.dataset import open_dataset


def files_of(path: Path) -> dict[str, bytes]:
    found = (file for file in sorted(path.rglob("*")) if file.is_file() and file.name != ".lock")
    return {str(file.relative_to(path)): file.read_bytes() for file in found}


def test_a_whole_folder_is_a_generated_dataset_with_the_bytes_of_its_files(
    folder: Path, prompts: Path, tmp_path: Path
) -> None:
    facts = imported(folder, "--prompts", prompts, "--model", "sdxl", "--out", tmp_path / "out")
    assert facts["flaws"] == []
    assert (facts["rows"], facts["usable"], facts["places"]) == (14, 14, 14)
    assert facts["found_by"] == {"text": 14}
    dataset, rows = open_dataset(tmp_path / "out"), rows_of(tmp_path / "out")
    assert dataset.manifest["kind"] == "generated"
    assert [(row["caption"], row["sample"]) for row in rows] == [(text, at) for text in PROMPTS for at in (0, 1)]
    for row in rows:
        data = (folder / row["file"]).read_bytes()
        assert row["image"]["bytes"] == data
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert (row["benchmark"], row["model"], row["status"], row["error"]) == ("prompts", "sdxl", "ok", None)
        assert row["prompt_id"] == str(PROMPTS.index(row["caption"]) + 1)


def test_what_is_wrong_with_a_folder_is_said_exactly(folder: Path, prompts: Path, tmp_path: Path) -> None:
    spoil(folder)
    facts = imported(folder, "--prompts", prompts, "--model", "sdxl", "--out", tmp_path / "out")
    assert {kind: many for kind, many in facts["counts"].items() if many} == {
        "missing": 2,
        "misnamed": 1,
        "blank": 1,
        "duplicate": 1,
        "wrong_size": 1,
    }
    said = {(flaw["kind"], flaw["file"] or f"{flaw['prompt_id']}/{flaw['sample']}") for flaw in facts["flaws"]}
    assert said == {
        ("missing", "1/0"),
        ("missing", "5/1"),
        ("misnamed", "a foto of an owl_0.png"),
        ("blank", "a photo of two cats_1.png"),
        ("duplicate", "a photo of a red boat_1.png"),
        ("wrong_size", "a photo of six eggs_1.png"),
    }
    assert json.loads((tmp_path / "out" / "coverage.json").read_text())["flaws"] == facts["flaws"]
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 14, "each place that is asked for is a row"
    by_status = {row["status"] for row in rows}
    assert by_status == {"ok", "missing", "misnamed"}
    text = import_(folder, "--prompts", prompts, "--model", "sdxl", "--out", tmp_path / "out").output
    assert "matched   11 by text\n" in text
    assert "11 usable of 14 rows" in text
    assert "missing    2 (asked for, and no file there)" in text
    assert "  prompt 1, sample 0: no file of this image is there" in text
    assert "Nothing to do" in text


def test_strays_are_told_apart(folder: Path, prompts: Path, tmp_path: Path) -> None:
    (folder / "a photo of a bench_2.png").write_bytes(picture(200, kind="PNG"))
    (folder / "holiday.png").write_bytes(picture(201, kind="PNG"))
    (folder / "a photo of a fork_1.png").write_bytes(b"<html>not found</html>")
    (folder / "notes.txt").write_text("of nobody")
    facts = imported(folder, "--prompts", prompts, "--out", tmp_path / "out")
    said = {flaw["file"]: (flaw["kind"], flaw["what"]) for flaw in facts["flaws"]}
    assert said["a photo of a bench_2.png"] == ("extra", "sample 2 of the prompt '1', where 2 are asked for")
    assert said["holiday.png"][0] == "unmatched"
    assert said["a photo of a fork_1.png"] == ("unreadable", "not_an_image: starts with b'<html>not fo'")
    assert len(said) == 3
    kept = {row["file"]: row["image"]["bytes"] for row in rows_of(tmp_path / "out")}
    assert kept["holiday.png"] == picture(201, kind="PNG"), "its bytes are kept"


def test_a_copy_that_is_of_no_prompt_counts_as_what_its_row_says(folder: Path, prompts: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "a photo of a bench_0.png", folder / "holiday.png")
    shutil.copy(folder / "a photo of a bench_0.png", folder / "a photo of a bench_2.png")
    facts = imported(folder, "--prompts", prompts, "--out", tmp_path / "out")
    assert {kind: many for kind, many in facts["counts"].items() if many} == {"unmatched": 1, "extra": 1}
    for flaw in facts["flaws"]:
        assert flaw["what"].endswith("; the same bytes as a photo of a bench_0.png")


def test_prompts_of_no_set_are_what_the_names_say(folder: Path, tmp_path: Path) -> None:
    (folder / "a_blue_kite_1.png").write_bytes(picture(300, kind="PNG"))
    facts = imported(folder, "--layout", "names", "--out", tmp_path / "out")
    assert facts["counts"]["missing"] == 1, "one of the kite's two"
    rows = rows_of(tmp_path / "out")
    assert {row["caption"] for row in rows} == {*PROMPTS, "a blue kite"}
    assert {row["benchmark"] for row in rows} == {"unnamed"}
    assert len({row["prompt_id"] for row in rows}) == 8


def test_a_place_that_says_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"IMG_{number:04d}.png").write_bytes(picture(number, kind="PNG"))
    facts = imported(tmp_path / "in", "--out", tmp_path / "out")
    assert (facts["rows"], facts["usable"], facts["places"], facts["layout"]) == (3, 3, 0, "any")
    assert all(row["caption"] is None and row["prompt_id"] is None for row in rows_of(tmp_path / "out"))


def test_folders_of_prompts_hold_their_images_in_order(tmp_path: Path, prompts: Path) -> None:
    for name in ("a photo of two cats", "a photo of an owl"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in (9, 10):
            (tmp_path / "in" / name / f"{number}.png").write_bytes(picture(number, kind="PNG"))
    imported(tmp_path / "in", "--prompts", prompts, "--out", tmp_path / "out")
    found = {row["file"]: (row["caption"], row["sample"]) for row in rows_of(tmp_path / "out") if row["status"] == "ok"}
    assert found["a photo of two cats/9.png"] == ("a photo of two cats", 0)
    assert found["a photo of two cats/10.png"] == ("a photo of two cats", 1)


def test_times_for_numbers_are_an_order_and_no_samples(tmp_path: Path) -> None:
    (tmp_path / "in/cat").mkdir(parents=True)
    for number, name in enumerate(("0", "20231201123456789")):
        (tmp_path / f"in/cat/{name}.png").write_bytes(picture(number, kind="PNG"))
    imported(tmp_path / "in", "--layout", "folders", "--out", tmp_path / "out")
    found = {row["file"]: (row["status"], row["sample"]) for row in rows_of(tmp_path / "out")}
    assert found == {"cat/0.png": ("ok", 0), "cat/20231201123456789.png": ("ok", 1)}


def test_a_name_that_is_no_utf_8_is_read_and_shown_with_replacement_characters(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"caf\xe9.png")).write_bytes(picture(0, kind="PNG"))
    imported(tmp_path / "in", "--layout", "names", "--out", tmp_path / "out")
    (row,) = rows_of(tmp_path / "out")
    assert (row["file"], row["status"], row["image"]["bytes"]) == ("caf\ufffd.png", "ok", picture(0, kind="PNG"))
    (tmp_path / "in" / os.fsdecode(b"caf\xe8.png")).write_bytes(picture(1, kind="PNG"))
    result = import_(tmp_path / "in", "--layout", "names", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "two files are called 'caf\ufffd.png' but for bytes that are no UTF-8; rename one" in result.output


def test_an_import_goes_on_to_the_same_bytes(folder: Path, prompts: Path, tmp_path: Path) -> None:
    given = (folder, "--prompts", prompts, "--set", "rows_per_shard=4", "--out")
    imported(*given, tmp_path / "whole")
    facts = imported(*given, tmp_path / "cut", "--workers", "2")
    assert facts["shards_made"] == 4
    lines = (tmp_path / "cut/data/_shards.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut/dataset.json").unlink()
    (tmp_path / "cut/data/_shards.jsonl").write_bytes(b"".join(line for line in lines[1:] if b"00001" not in line))
    facts = imported(*given, tmp_path / "cut")
    assert facts["shards_made"] == 1
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")


def test_new_images_leave_shards_alone_and_fill_their_places(folder: Path, prompts: Path, tmp_path: Path) -> None:
    given = (folder, "--prompts", prompts, "--set", "rows_per_shard=4", "--out", tmp_path / "out")
    data = (folder / "a photo of a fork_1.png").read_bytes()
    (folder / "a photo of a fork_1.png").unlink()
    assert imported(*given)["counts"]["missing"] == 1
    first = files_of(tmp_path / "out/data")
    (folder / "a photo of a fork_1.png").write_bytes(data)
    facts = imported(*given)
    assert (facts["counts"]["missing"], facts["usable"], facts["shards_made"]) == (0, 14, 1)
    assert files_of(tmp_path / "out/data")["00000.parquet"] == first["00000.parquet"]


def test_a_source_that_lost_images_is_refused(folder: Path, prompts: Path, tmp_path: Path) -> None:
    imported(folder, "--prompts", prompts, "--out", tmp_path / "out")
    before = files_of(tmp_path / "out")
    (folder / "a photo of a fork_1.png").unlink()
    result = import_(folder, "--prompts", prompts, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "an image there is no longer in the source, such as a photo of a fork_1.png; give another" in result.output
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("elsewhere", [False, True])
def test_another_model_does_not_replace_the_one_that_is_there(
    folder: Path, prompts: Path, tmp_path: Path, elsewhere: bool
) -> None:
    given = ("--prompts", prompts, "--out", tmp_path / "out")
    imported(folder, *given, "--model", "sdxl")
    before = files_of(tmp_path / "out")
    source = draw_images(tmp_path / "elsewhere") if elsewhere else folder
    result = import_(source, *given, "--model", "flux")
    assert result.exit_code == 1
    assert "images of another model, such as " in result.output
    assert " of sdxl, which would be lost; give another --out, or the same --model" in result.output
    assert files_of(tmp_path / "out") == before
    assert import_(folder, *given).exit_code == 1, "a model that is not told is lost as well"
    assert files_of(tmp_path / "out") == before


@pytest.mark.parametrize("model", [(), ("--model", "sdxl")])
def test_other_pictures_of_the_same_names_do_not_replace_those_that_are_there(
    folder: Path, prompts: Path, tmp_path: Path, model: tuple[str, ...]
) -> None:
    given = ("--prompts", prompts, *model, "--out", tmp_path / "out")
    imported(folder, *given)
    before = files_of(tmp_path / "out")
    other = shutil.copytree(folder, tmp_path / "other")
    for number, file in enumerate(sorted(other.iterdir())):
        file.write_bytes(picture(500 + number, kind="PNG"))
    result = import_(other, *given)
    assert result.exit_code == 1
    assert f"holds 14 images of {folder}, of which {other} has none, such as " in result.output
    assert "which would be lost; give another --out" in result.output
    assert files_of(tmp_path / "out") == before


def test_pictures_may_be_made_anew_in_their_place_and_a_folder_may_move(
    folder: Path, prompts: Path, tmp_path: Path
) -> None:
    given = ("--prompts", prompts, "--out", tmp_path / "out")
    imported(folder, *given)
    for number, file in enumerate(sorted(folder.iterdir())):
        file.write_bytes(picture(500 + number, kind="PNG"))
    assert imported(folder, *given)["usable"] == 14
    moved = folder.rename(tmp_path / "moved")
    next(moved.iterdir()).write_bytes(picture(999, kind="PNG"))
    assert imported(moved, *given)["usable"] == 14


def test_a_model_may_be_told_of_images_that_had_none(folder: Path, prompts: Path, tmp_path: Path) -> None:
    given = ("--prompts", prompts, "--out", tmp_path / "out")
    imported(folder, *given)
    imported(folder, *given, "--model", "sdxl")
    assert {row["model"] for row in rows_of(tmp_path / "out")} == {"sdxl"}


def test_a_dataset_in_the_source_is_refused_and_nothing_is_written(folder: Path) -> None:
    before = files_of(folder)
    for out in (folder, folder / "out"):
        result = import_(folder, "--out", out)
        assert result.exit_code == 1
        assert "lies in the source" in result.output
    assert files_of(folder) == before
    assert not (folder / "out").exists()


def test_a_moved_source_is_the_same_one(folder: Path, prompts: Path, tmp_path: Path) -> None:
    given = ("--prompts", prompts, "--set", "name=x", "--out", tmp_path / "out")
    imported(folder, *given)
    shutil.move(folder, tmp_path / "elsewhere")
    assert imported(tmp_path / "elsewhere", *given)["shards_made"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--prompts", "genevall"), "did you mean 'geneval'"),
        (("--layout", "folder"), "did you mean 'folders'?"),
        (("--set", "size=big"), "size: write a size as 512"),
        (("--set", "sise=512"), "unknown key 'sise'; did you mean 'size'?"),
        (("--set", "samples=-4"), "samples: has to be at least 1, got -4"),
    ],
)
def test_a_wrong_option_is_one_line(folder: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    result = import_(folder, *options, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    result = import_(tmp_path / "in", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no file there that may be a picture, of 1" in result.output


def test_a_config_says_the_same_as_the_command_line(folder: Path, prompts: Path, tmp_path: Path) -> None:
    config = tmp_path / "import.yaml"
    config.write_text(
        f"job: import\nname: images\nsource: {folder}\nmodel: sdxl\n"
        f"prompts: {{kind: txt, name: prompts, path: {prompts}}}\n"
    )
    imported(config, "--out", tmp_path / "by_config")
    imported(folder, "--prompts", prompts, "--model", "sdxl", "--out", tmp_path / "by_line")
    assert files_of(tmp_path / "by_config/data") == files_of(tmp_path / "by_line/data")


def test_a_file_of_prompts_may_have_any_name(folder: Path, prompts: Path, tmp_path: Path) -> None:
    prompts.rename(tmp_path / "my p (2).txt")
    imported(folder, "--prompts", tmp_path / "my p (2).txt", "--out", tmp_path / "out")
    assert {row["benchmark"] for row in rows_of(tmp_path / "out")} == {"my_p_2"}
