"""Images whose names say one prompt and whose own texts another: the number of a counter is no id against a text."""

import io
from pathlib import Path

import pytest
from drawn import picture
from image_bytes import save
from made_elsewhere import imported, rows_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo

TEXTS = ["a red fish", "two yellow houses", "a green tree", "a blue bird"]


def saved_by_a1111(path: Path, text: str, model: str = "") -> None:
    """Write a picture as A1111 does, with the text that it was made from and its model, if it is told."""
    said, more = PngInfo(), f", Model: {model}" if model else ""
    said.add_text(
        "parameters", f"{text}\nNegative prompt: ugly\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 3{more}"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = Image.open(io.BytesIO(picture(sum(map(ord, path.name)), kind="PNG")))
    path.write_bytes(save(drawn, "PNG", pnginfo=said))


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "asked.txt"
    path.write_text("\n".join(TEXTS))
    return path


def test_the_counter_of_a_program_is_no_prompt_where_the_image_says_its_text(asked: Path, tmp_path: Path) -> None:
    for count in range(8):
        saved_by_a1111(tmp_path / f"in/{count:05d}-{10 + count}.png", TEXTS[count // 2])
    facts = imported(tmp_path / "in", "--prompts", asked, "--out", tmp_path / "out")
    assert (facts["flaws"], facts["usable"]) == ([], 8)
    assert all(row["caption"] == row["tool_prompt"] for row in rows_of(tmp_path / "out"))


def test_a_counter_counts_where_the_image_says_the_text_with_more_around_it(asked: Path, tmp_path: Path) -> None:
    saved_by_a1111(tmp_path / "in/00002-13.png", "two yellow houses, masterpiece <lora:a:1>")
    saved_by_a1111(tmp_path / "in/00003-14.png", "two yellow houses, masterpiece <lora:a:1>")
    facts = imported(tmp_path / "in", "--prompts", asked, "--set", "samples=1", "--out", tmp_path / "out")
    found = {row["file"]: (row["status"], row["prompt_id"]) for row in rows_of(tmp_path / "out") if row["file"]}
    assert found == {"00002-13.png": ("ok", "2"), "00003-14.png": ("unmatched", None)}
    (flaw,) = [flaw for flaw in facts["flaws"] if flaw["kind"] == "unmatched"]
    assert flaw["what"] == (
        "its name has the number '00003' of a prompt, "
        "and the image itself says 'two yellow houses, masterpiece <lora:a:1>'"
    )


@pytest.mark.parametrize("name", ["a red fish_0.png", "a red fish/0.png", "0.png"])
def test_a_name_or_a_table_that_says_another_prompt_than_the_image_is_a_flaw(
    name: str, asked: Path, tmp_path: Path
) -> None:
    saved_by_a1111(tmp_path / "in" / name, "a blue bird")
    if name == "0.png":
        (tmp_path / "in/metadata.csv").write_text("file_name,prompt_id\n0.png,1\n")
    facts = imported(tmp_path / "in", "--prompts", asked, "--out", tmp_path / "out")
    (flaw,) = [flaw for flaw in facts["flaws"] if flaw["kind"] == "contradicted"]
    assert (flaw["file"], flaw["prompt_id"]) == (name, "1")
    assert flaw["what"] == "the image itself says 'a blue bird', the text of the prompt '4'"


def test_the_text_of_an_image_is_its_prompt_where_its_name_is_a_number(tmp_path: Path) -> None:
    for count in range(2):
        saved_by_a1111(tmp_path / f"in/{count:05d}-{10 + count}.png", TEXTS[count])
    imported(tmp_path / "in", "--layout", "names", "--out", tmp_path / "out")
    assert [row["caption"] for row in rows_of(tmp_path / "out")] == TEXTS[:2]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"txt2img-images/2026-11-30/00000-1.png": "xl", "txt2img-images/2026-11-30/00001-2.png": "flux"}, "xl flux"),
        ({"all of it/00000-1.png": "xl", "all of it/00001-2.png": "flux"}, "xl flux"),
        ({"outputs/00000-1.png": "xl", "outputs/00001-2.png": "xl"}, "xl xl"),
        ({"mine/00000-1.png": "xl", "mine/00001-2.png": "xl", "other/00001-2.png": "flux"}, "mine mine other"),
        ({"mine/00000-1.png": "xl", "mine/00001-2.png": ""}, "mine mine"),
    ],
)
def test_a_folder_in_which_images_say_several_models_is_none(
    files: dict[str, str], expected: str, asked: Path, tmp_path: Path
) -> None:
    for file, model in files.items():
        saved_by_a1111(tmp_path / "in" / file, TEXTS[0], model)
    imported(tmp_path / "in", "--prompts", asked, "--layout", "any", "--out", tmp_path / "out")
    models = {row["file"]: row["model"] for row in rows_of(tmp_path / "out") if row["file"]}
    assert [models[file] for file in files] == expected.split()


def test_an_id_in_a_table_that_is_of_another_text_than_the_table_says_is_a_flaw(asked: Path, tmp_path: Path) -> None:
    """As where somebody has sorted the prompts since."""
    for count in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{count}.png").write_bytes(picture(count, kind="PNG"))
    (tmp_path / "in/metadata.csv").write_text(
        "file,prompt_id,prompt\n0.png,1,A RED FISH\n1.png,2,a blue bird\n2.png,3,a dog\n"
    )
    facts = imported(tmp_path / "in", "--prompts", asked, "--out", tmp_path / "out")
    said = {flaw["file"]: flaw["what"] for flaw in facts["flaws"] if flaw["kind"] == "contradicted"}
    assert said == {
        "1.png": "a table says 'a blue bird', the text of the prompt '4', and the prompt '2' is 'two yellow houses'",
        "2.png": "a table says 'a dog', and the prompt '3' is 'a green tree'",
    }
