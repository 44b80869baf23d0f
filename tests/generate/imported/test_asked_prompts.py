"""What images are of where nobody names a prompt set: each says its own prompt, whatever others say under its id."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from drawn import picture
from made_elsewhere import import_, imported, rows_of

from diptych.data.dataset import open_dataset
from diptych.data.prompt_sets import prompt_kinds, prompt_set_sources

PLAIN = {"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}
REWRITTEN = {**PLAIN, "prompt": "A weathered wooden bench in a quiet park, seen from the left."}


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(crc32(path.as_posix().encode()), kind="PNG"))


def write_table(folder: Path, rows: list[Mapping[str, Any]]) -> Path:
    for row in rows:
        draw(folder / row["file_name"])
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_raw_and_rewritten_prompts_of_one_number_are_two_and_each_image_has_its_own(tmp_path: Path) -> None:
    for model, said in (("raw", PLAIN), ("rewritten", REWRITTEN)):
        own = tmp_path / "in" / model / "00000"
        for sample in range(2):
            draw(own / f"samples/{sample:05d}.png")
        (own / "metadata.jsonl").write_text(json.dumps(said))
    facts = imported(tmp_path / "in", "--out", tmp_path / "out")
    assert (facts["usable"], facts["flaws"]) == (4, []), "neither model was asked for the other's prompt"
    (note,) = facts["notes"]
    assert note.startswith("1 id with several texts, each of which is a prompt of its own: '00000' is")
    found = {row["model"]: (row["caption"], row["benchmark"]) for row in rows_of(tmp_path / "out")}
    assert found == {
        "raw": (PLAIN["prompt"], "geneval"),
        "rewritten": (REWRITTEN["prompt"], "geneval_rewritten"),
    }
    manifest = open_dataset(tmp_path / "out").manifest
    assert prompt_kinds(manifest) == {"geneval": "geneval", "geneval_rewritten": "geneval"}
    assert list(prompt_set_sources(manifest)) == ["geneval_rewritten"], "known to be nobody's, and the other unknown"


@pytest.mark.parametrize("is_folder_there", [True, False])
def test_the_prompt_of_a_folder_of_geneval_without_images_is_missing(is_folder_there: bool, tmp_path: Path) -> None:
    for number in range(3):
        own = tmp_path / f"in/{number:05d}"
        own.mkdir(parents=True)
        (own / "metadata.jsonl").write_text(
            json.dumps({**PLAIN, "prompt": f"a photo of {'a' if number else 'an'} bench"})
        )
        if number:
            draw(own / "samples/00000.png")
            draw(own / "samples/00001.png")
        elif is_folder_there:
            (own / "samples").mkdir()
    facts = imported(tmp_path / "in", "--out", tmp_path / "out")
    assert [(flaw["kind"], flaw["prompt_id"], flaw["sample"]) for flaw in facts["flaws"]] == [
        ("missing", "00000", 0),
        ("missing", "00000", 1),
    ]
    assert [row["caption"] for row in rows_of(tmp_path / "out") if row["status"] == "missing"] == [
        "a photo of an bench"
    ] * 2


def test_ids_that_begin_again_in_each_category_are_several_prompts(tmp_path: Path) -> None:
    texts = {("color", "1"): "a red car", ("shape", "1"): "a round table", ("color", "2"): "a blue cup"}
    rows: list[Mapping[str, Any]] = [
        {"file_name": f"{category}{number}.png", "prompt": text, "prompt_id": number, "category": category}
        for (category, number), text in texts.items()
    ]
    assert imported(write_table(tmp_path / "in", rows), "--out", tmp_path / "out")["flaws"] == []
    found = {(row["category"][0], row["prompt_id"]): row["caption"] for row in rows_of(tmp_path / "out")}
    assert found == texts


def test_one_model_is_not_told_for_folders_of_the_same_images(tmp_path: Path) -> None:
    for model in ("sdxl", "flux"):
        for number in range(2):
            own = tmp_path / f"in/{model}/{number:05d}"
            draw(own / "samples/00000.png")
            (own / "metadata.jsonl").write_text(json.dumps({**PLAIN, "prompt": f"a photo of {'a' * number} bench"}))
    said = import_(tmp_path / "in", "--model", "mine", "--out", tmp_path / "out")
    assert said.exit_code == 1
    assert "'mine' is told for the images of several folders (flux, sdxl), which have the same prompts" in said.output
    (tmp_path / "in/flux/00001/samples/00000.png").unlink()
    (tmp_path / "in/flux/00001/samples/00001.png").unlink(missing_ok=True)
    shown = import_(tmp_path / "in", "--out", tmp_path / "out").output
    assert "prompt 00001, sample 0 of flux: no file of this image is there" in shown


def test_a_prompt_that_stands_in_two_categories_is_of_both(tmp_path: Path) -> None:
    rows: list[Mapping[str, Any]] = [
        {"file_name": f"{number}.png", "prompt": "a red car", "prompt_id": "1", "category": category}
        for number, category in enumerate(("color", "shape"))
    ]
    imported(write_table(tmp_path / "in", rows), "--out", tmp_path / "out")
    assert [row["category"] for row in rows_of(tmp_path / "out")] == [["color", "shape"]] * 2


def test_a_model_with_prompts_that_were_rewritten_for_it_lacks_none_of_another_models(tmp_path: Path) -> None:
    rows: list[Mapping[str, Any]] = [
        {"file_name": f"{model}{number}.png", "prompt": f"{text}{more}", "prompt_id": str(number), "model": model}
        for model, more in (("one", ""), ("other", ", highly detailed"))
        for number, text in enumerate(("a car", "a cup", "a kite"))
    ]
    facts = imported(write_table(tmp_path / "in", rows[:-1]), "--out", tmp_path / "out")
    assert [(flaw["kind"], flaw["model"], flaw["prompt_id"]) for flaw in facts["flaws"]] == [("missing", "other", "2")]


def test_images_that_each_say_a_prompt_and_a_model_of_their_own_lack_nothing(tmp_path: Path) -> None:
    """Of prompts that nobody listed, in folders of whatever was made: more of one than of others are not too many."""
    rows: list[Mapping[str, Any]] = [
        {"file_name": f"{number}.png", "prompt": text, "model": model}
        for number, (model, text) in enumerate([("a", "x"), ("a", "x"), ("a", "y"), ("b", "z"), ("c", "w"), ("c", "v")])
    ]
    facts = imported(write_table(tmp_path / "in", rows), "--out", tmp_path / "out")
    assert (facts["usable"], facts["rows"], facts["flaws"]) == (6, 6, [])


@pytest.mark.parametrize(
    ("file", "plain"), [("geneval/evaluation_metadata", 553), ("geneval_long/evaluation_metadata_long", 0)]
)
def test_the_words_of_geneval_are_told_from_rewritten_ones(file: str, plain: int, shared: Path) -> None:
    from diptych.data.checks import parse_checks
    from diptych.generate.imported.layouts.geneval import is_plain

    lines = [json.loads(line) for line in (shared / "benchmarks" / f"{file}.jsonl").read_text().splitlines()]
    said = [
        (one["prompt"], parse_checks({name: one[name] for name in ("include", "exclude") if name in one}, ""))
        for one in lines
    ]
    assert (len(said), sum(is_plain(text, checks) for text, checks in said)) == (553, plain)
