"""Images as other programs want them, and back: pixels and columns stay."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from drawn import picture
from image_bytes import pixels
from made_elsewhere import imported, rows_of
from PIL import Image
from tiny_generated import Made, make_generated

from diptych.cli import main
from diptych.data.generated_columns import generated_columns
from diptych.generate.exported import EXPORTS, ExportLayout
from diptych.generate.imported.tools.infotext import infotext_of
from diptych.lookup import import_attribute

CHECKS = {"include": [{"class": "bench", "count": 2}], "exclude": [{"class": "bench", "count": 3}]}
SAID = ("caption", *generated_columns())


def export(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", "generate", "export", *map(str, arguments)])


def exported(*arguments: object) -> dict[str, Any]:
    result = export(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def made(models: Sequence[str] = ("sd",), *, category: str = "counting") -> list[Made]:
    return [
        Made(
            model,
            prompt,
            sample,
            category=category,
            checks=CHECKS,
            caption=f"a photo of {prompt + 2} benches, by the sea: dusk",
            picture=None if (prompt, sample) == (2, 1) else 100 * number + 10 * prompt + sample,
        )
        for number, model in enumerate(models)
        for prompt in range(3)
        for sample in range(2)
    ]


def by_place(path: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {(row["model"], row["prompt_id"], row["sample"]): row for row in rows_of(path) if row["status"] == "ok"}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_table_entry_is_a_layout(name: str) -> None:
    assert isinstance(import_attribute(EXPORTS[name]), ExportLayout)
    assert list(EXPORTS) == sorted(EXPORTS)


@pytest.mark.parametrize("layout", EXPORTS)
def test_what_is_exported_and_imported_is_the_same_in_pixels_and_columns(layout: str, tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made(category="numeracy" if layout == "compbench" else "counting"))
    facts = exported(tmp_path / "x", "--layout", layout, "--out", tmp_path / "files")
    assert (facts["images"], facts["written"], facts["left_out"]) == (5, 5, {"out_of_memory": 1})
    found = imported(tmp_path / "files", "--set", "name=demo", "--out", tmp_path / "y")
    assert found["usable"] == 5
    before, after = by_place(tmp_path / "x"), by_place(tmp_path / "y")
    assert after.keys() == before.keys()
    for place, row in before.items():
        said = {name: after[place][name] for name in SAID}
        assert said == {**{name: row[name] for name in SAID}, "input_images": row["input_images"] or []}
        assert (pixels(after[place]["image"]["bytes"]) == pixels(row["image"]["bytes"])).all()


def test_geneval_has_what_its_scripts_read(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made())
    exported(tmp_path / "x", "--layout", "geneval", "--out", tmp_path / "files")
    found = sorted(str(path.relative_to(tmp_path / "files")) for path in (tmp_path / "files").rglob("*.*"))
    assert found == [
        "00000/metadata.jsonl",
        "00000/samples/00000.png",
        "00000/samples/00001.png",
        "00001/metadata.jsonl",
        "00001/samples/00000.png",
        "00001/samples/00001.png",
        "00002/metadata.jsonl",
        "00002/samples/00000.png",
    ]
    (line,) = (tmp_path / "files/00001/metadata.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"tag": "counting", **CHECKS, "prompt": "a photo of 3 benches, by the sea: dusk"}


def test_compbench_has_the_prompt_in_the_name_and_digits_of_their_own(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made())
    exported(tmp_path / "x", "--layout", "compbench", "--out", tmp_path / "files")
    names = sorted(path.name for path in (tmp_path / "files/counting/samples").iterdir())
    assert {name.split("_")[0] for name in names} == {row["caption"] for row in rows_of(tmp_path / "x")}
    assert sorted(int(name[-10:-4]) for name in names) == list(range(5))


@pytest.mark.parametrize("layout", EXPORTS)
def test_words_that_differ_in_case_alone_are_no_one_file_where_that_does_not_count(layout: str, tmp_path: Path) -> None:
    rows = [Made("sd", n, category=word, caption=f"a {word} fish", picture=n) for n, word in enumerate(("Red", "red"))]
    make_generated(tmp_path / "x", rows)
    exported(tmp_path / "x", "--layout", layout, "--out", tmp_path / "files")
    names = [str(path.relative_to(tmp_path)).casefold() for path in tmp_path.glob("files/**/*.png")]
    assert len(set(names)) == len(names) == 2


def test_a_prompt_that_cannot_be_a_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    rows = [Made("sd", 0, caption="and/or", picture=1), Made("sd", 1, caption="snake_case", picture=2)]
    make_generated(tmp_path / "x", rows)
    result = export(tmp_path / "x", "--layout", "compbench", "--out", tmp_path / "files")
    assert result.exit_code == 1
    assert "2 prompts cannot be the name of a file, such as 'and/or'" in result.output
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("category", ["../up", "/tmp", "..", "and/or"])
def test_a_category_leads_to_no_other_folder(category: str, tmp_path: Path) -> None:
    make_generated(tmp_path / "x", [Made("sd", 0, category=category, caption="a boat", picture=1)])
    result = export(tmp_path / "x", "--layout", "compbench", "--out", tmp_path / "files")
    assert result.exit_code == 1
    assert f"the category {category!r} cannot be the name of a folder" in result.output
    assert not (tmp_path / "files").exists()


def test_each_png_says_to_a1111_how_it_was_made(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made())
    exported(tmp_path / "x", "--layout", "a1111", "--out", tmp_path / "files")
    for row, path in zip(by_place(tmp_path / "x").values(), sorted((tmp_path / "files").iterdir()), strict=True):
        assert re.fullmatch(rf"0000\d-{row['seed']}\.png", path.name)
        text = Image.open(path).text["parameters"]  # type: ignore[attr-defined]
        assert text.splitlines()[0] == row["caption"]
        assert f"Seed: {row['seed']}, Size: {row['width']}x{row['height']}, Model: sd" in text


def test_of_several_models_one_is_to_be_named(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made(("a", "b")))
    result = export(tmp_path / "x", "--layout", "geneval", "--out", tmp_path / "files")
    assert result.exit_code == 1
    assert "give one: --model a --setting euler-25-g5; --model b --setting euler-25-g5" in result.output
    assert exported(tmp_path / "x", "--layout", "geneval", "--model", "b", "--out", tmp_path / "files")["images"] == 5
    assert exported(tmp_path / "x", "--layout", "a1111", "--out", tmp_path / "all")["images"] == 10
    imported(tmp_path / "all", "--set", "name=demo", "--out", tmp_path / "y")
    assert by_place(tmp_path / "y").keys() == by_place(tmp_path / "x").keys()


def test_the_advice_of_which_model_to_give_is_one_that_can_be_given(tmp_path: Path) -> None:
    texts = {"a b": "a red fish", "flux": "a red fish"}
    for number, (model, text) in enumerate(texts.items()):
        (tmp_path / "in" / model).mkdir(parents=True)
        (tmp_path / "in" / model / f"{text}_0.png").write_bytes(picture(number, kind="PNG"))
    imported(tmp_path / "in", "--layout", "names", "--out", tmp_path / "x")
    given = (tmp_path / "x", "--layout", "geneval", "--out", tmp_path / "files")
    advice = export(*given).output.partition("give one: ")[2].strip().split("; ")
    assert advice == ["--model 'a b' --setting ''", "--model flux --setting ''"]
    assert exported(*given, *shlex.split(advice[0]))["images"] == 1


def test_a_prompt_that_the_script_of_geneval_cannot_score_is_told(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", [*made(), Made("sd", 7, 0, category="counting", caption="a dog", picture=9)])
    said = export(tmp_path / "x", "--layout", "geneval", "--out", tmp_path / "files").output
    assert "GenEval's own script cannot score 1 of 4 prompts, such as '00007': they have no tag (category) or" in said
    make_generated(tmp_path / "y", made())
    assert exported(tmp_path / "y", "--layout", "geneval", "--out", tmp_path / "sound")["lacking"] == ""


def test_an_export_goes_on_and_writes_over_nothing(tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made())
    given = (tmp_path / "x", "--layout", "geneval", "--out", tmp_path / "files")
    exported(*given)
    (tmp_path / "files/00001/samples/00000.png").unlink()
    assert exported(*given)["written"] == 1
    (tmp_path / "files/00001/samples/00000.png").write_bytes(b"mine")
    result = export(*given)
    assert result.exit_code == 1
    assert "00001/samples/00000.png: another file is there; give another --out" in result.output
    assert (tmp_path / "files/00001/samples/00000.png").read_bytes() == b"mine"


@pytest.mark.parametrize("out", ["x", "x/files"])
def test_nothing_is_written_into_the_dataset(out: str, tmp_path: Path) -> None:
    make_generated(tmp_path / "x", made())
    before = sorted(tmp_path.rglob("*"))
    assert export(tmp_path / "x", "--layout", "a1111", "--out", tmp_path / out).exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before


TRAPS = {
    "a cat\nNegative prompt: a dog": False,
    "a cat\nSteps: 1, Sampler: none, CFG scale: 3": True,  # the last line alone is one of pairs
    "Negative prompt: a dog": False,
    "a cat, Negative prompt: a dog Steps: 1": True,
    "  a cat \n  and a dog ": True,
}


@pytest.mark.parametrize("layout", ["a1111", "geneval"])
def test_a_prompt_that_a1111_would_read_as_another_is_not_written_for_it_and_told(layout: str, tmp_path: Path) -> None:
    rows = [Made("sd", number, caption=caption, picture=number) for number, caption in enumerate(TRAPS)]
    make_generated(tmp_path / "x", rows)
    result = export(tmp_path / "x", "--layout", layout, "--out", tmp_path / "files")
    told = [Image.open(path).text.get("parameters") for path in sorted((tmp_path / "files").rglob("*.png"))]
    assert [text is not None for text in told] == list(TRAPS.values())
    assert "no parameters in 2 files, such as 00000" in result.output
    imported(tmp_path / "files", "--out", tmp_path / "y")
    assert {row["prompt_id"]: row["caption"] for row in rows_of(tmp_path / "y")} == {
        f"{number:05d}": caption for number, caption in enumerate(TRAPS)
    }


def test_a_picture_of_which_little_is_known_keeps_its_prompt(tmp_path: Path) -> None:
    known = {"steps": None, "sampler": None, "guidance": None, "seed": None, "negative_prompt": None, "model": "sd"}
    row = {**known, "caption": "a cat", "width": 8, "height": 8}
    assert infotext_of(row) == "a cat", "A1111 takes a line of two pairs for part of the prompt"
    assert infotext_of({**row, "caption": "a: 1, b: 2, c: 3"}) is None


@pytest.mark.parametrize("layout", ["geneval", "compbench"])
def test_a_picture_without_a_prompt_is_left_out_and_named_and_the_others_are_exported(
    layout: str, tmp_path: Path
) -> None:
    odd = Made("sd", 7, 0, category="counting", caption="", picture=9)
    make_generated(tmp_path / "x", [*made(), odd])
    given = (tmp_path / "x", "--layout", layout, "--out", tmp_path / "files")
    result = export(*given)
    assert result.exit_code == 0, result.output
    assert "5 images in" in result.output
    said = f"left out  1 image without the prompt or sample that names are made of: {odd.key}\n"
    assert said in result.output
    assert exported(*given)["placeless"] == [odd.key]
    files = sorted((tmp_path / "files").rglob("*.png"))
    assert len(files) == 5
    found = {(row["caption"], row["seed"]): row for row in rows_of(tmp_path / "x")}
    for file in files:
        caption, _, pairs = Image.open(file).text["parameters"].partition("\n")
        row = found[caption, int(pairs.partition("Seed: ")[2].partition(",")[0])]
        assert (pixels(file.read_bytes()) == pixels(row["image"]["bytes"])).all()
    make_generated(tmp_path / "y", [odd])
    refused = export(tmp_path / "y", "--layout", layout, "--out", tmp_path / "none")
    assert (
        f"no picture there to export, of the model and setting that are given; 1 lack a prompt or sample, such as "
        f"{odd.key}" in refused.output
    )


def test_rows_that_are_left_out_are_told_for_what_they_are(tmp_path: Path) -> None:
    samples = tmp_path / "in" / "00000" / "samples"
    samples.mkdir(parents=True)
    metadata = json.dumps({**CHECKS, "tag": "counting", "prompt": "a photo of two benches"})
    for place in (tmp_path / "prompts.jsonl", samples.parent / "metadata.jsonl"):
        place.write_text(metadata)
    for number in range(3):
        (samples / f"{number:05d}.png").write_bytes(picture(number, kind="PNG"))
    given = ("--prompts", "geneval", "--set", f"prompts.path={tmp_path / 'prompts.jsonl'}", "--set", "samples=1")
    imported(tmp_path / "in", *given, "--out", tmp_path / "x")
    counts = Counter(row["status"] for row in rows_of(tmp_path / "x"))
    result = export(tmp_path / "x", "--layout", "a1111", "--out", tmp_path / "files")
    assert result.exit_code == 0, result.output
    assert counts == {"ok": 1, "extra": 2}
    assert "extra     2 rows set aside by the import\n" in result.output
