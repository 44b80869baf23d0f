"""Part of what an image was made from is not taken for all of it, and what nobody knows is said."""

import json
from collections.abc import Mapping

import pytest
from image_bytes import save
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import read_tool

CHARACTERS = {"caption": {"char_captions": [{"char_caption": "a girl"}, {"char_caption": "a dog"}, None]}}
NOVEL = {"prompt": "park", "uc": "fog", "v4_prompt": CHARACTERS}
INVOKE = {"positive_prompt": "boat", "positive_style_prompt": "oil", "negative_prompt": "fog"}
PARTS: dict[str, tuple[dict[str, str], str]] = {
    "novelai characters": (
        {"Software": "NovelAI", "Comment": json.dumps(NOVEL)},
        "novelai: 3 texts make its prompt: 'park', 'a girl', 'a dog'",
    ),
    "invokeai style": (
        {"invokeai_metadata": json.dumps(INVOKE)},
        "invokeai: 2 texts make its prompt: 'boat', 'oil'",
    ),
}


def png(texts: Mapping[str, str]) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return save(Image.new("RGB", (8, 8), (9, 9, 9)), "PNG", pnginfo=info)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_a_prompt_is_not_taken_for_all_of_it(name: str) -> None:
    texts, problem = PARTS[name]
    found = read_tool(png(texts), "x.png")
    assert (found.says.prompt, found.says.facts["negative_prompt"], found.problem) == (None, "fog", problem)


@pytest.mark.parametrize("style", ["", "boat", None])
def test_a_style_that_says_no_more_changes_no_prompt(style: str | None) -> None:
    said = {**INVOKE, "positive_style_prompt": style}
    found = read_tool(png({"invokeai_metadata": json.dumps(said)}), "x.png")
    assert (found.says.prompt, found.problem) == ("boat", None)


def test_what_stands_behind_the_pairs_and_is_not_known_is_said() -> None:
    found = read_tool(png({"parameters": "boat\nSteps: 20, Seed: 5, CFG scale: 7\nmade by me"}), "x.png")
    assert (found.says.prompt, found.says.facts["seed"]) == ("boat", 5)
    assert found.problem == "a1111: text behind its line of pairs: 'made by me'"


PAIRS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5"
LINES: dict[str, tuple[str | None, str | None]] = {
    f"a (red:1.2) boat, dusk {PAIRS}": ("a (red:1.2) boat, dusk", ""),
    f"boat Negative prompt: fog, low {PAIRS}": ("boat", "fog, low"),
    f"Negative prompt: fog {PAIRS}": ("", "fog"),
    f"boat\nNegative prompt: fog {PAIRS}": ("boat", "fog"),
    f"boat Negative prompt: fog\n{PAIRS}": ("boat Negative prompt: fog", ""),  # as A1111 itself reads it
    f"boat\n Negative prompt: fog\nNegative prompt: low\n{PAIRS}": ("boat", "fog\nlow"),
}


@pytest.mark.parametrize("text", LINES)
def test_an_infotext_in_one_line_is_parted_where_it_can_be(text: str) -> None:
    found = read_tool(png({"parameters": text}), "x.png")
    assert (found.says.prompt, found.says.facts["negative_prompt"], found.problem) == (*LINES[text], None)
    assert (found.says.facts["steps"], found.says.facts["seed"]) == (20, 5)


@pytest.mark.parametrize("text", [f"Steps: 3, then {PAIRS}", f"a Negative prompt: b Negative prompt: c {PAIRS}"])
def test_one_line_that_may_be_parted_in_several_places_is_said_and_not_guessed(text: str) -> None:
    found = read_tool(png({"parameters": f"boat, {text}"}), "x.png")
    assert (found.says.prompt, found.says.facts) == (None, {})
    assert found.problem is not None
    assert found.problem.startswith("a1111: a text and pairs in one line, which may end in several places: 'boat, ")
