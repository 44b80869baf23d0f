"""Which prompts are asked for: chosen by category and number, numbered among equal ones, shared between sets."""

import json
from pathlib import Path
from typing import Any

import pytest

from diptych.errors import ConfigError, DataError
from diptych.generate.backends.asked import AskedPrompt
from diptych.generate.chosen_prompts import read_prompts
from diptych.generate.config import GenerateConfig
from diptych.generate.prompts import PROMPT_SETS, Prompt, PromptSet


def asked_for(*entries: dict[str, Any], samples: int = 1) -> tuple[AskedPrompt, ...]:
    values = {"job": "generate", "prompts": entries, "models": {"m": {"path_or_id": "m"}}, "samples": samples}
    return read_prompts(GenerateConfig.model_validate(values))[1]


def choose(tmp_path: Path, **choice: object) -> list[str]:
    path = tmp_path / "p.csv"
    rows = "".join(f"{category}{number},{category}\n" for number in range(3) for category in "ab")
    path.write_text("prompt,category\n" + rows)
    return [asked.text for asked in asked_for({"kind": "csv", "path": str(path)} | choice)]


def jsonl(path: Path, *prompts: dict[str, Any]) -> dict[str, Any]:
    path.write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts))
    return {"kind": "jsonl", "name": path.stem, "path": str(path)}


def test_prompts_are_chosen_by_category_by_number_of_each_and_in_all(tmp_path: Path) -> None:
    assert choose(tmp_path) == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert choose(tmp_path, categories=["b"]) == ["b0", "b1", "b2"]
    assert choose(tmp_path, per_category=2) == ["a0", "b0", "a1", "b1"]
    assert choose(tmp_path, per_category=2, limit=3) == ["a0", "b0", "a1"]


def test_a_prompt_of_several_categories_counts_in_each_that_is_asked_for(tmp_path: Path) -> None:
    kinds = {"1": ["a"], "2": ["a", "b"], "3": ["b"], "4": ["a", "b"], "5": [], "6": []}
    entry = jsonl(tmp_path / "p.jsonl", *({"prompt": name, "category": kind} for name, kind in kinds.items()))
    chosen = {
        "both": asked_for(entry | {"categories": ["a", "b"]}),
        "one": asked_for(entry | {"categories": ["b"]}),
        "two of each": asked_for(entry | {"per_category": 2}),
        "one of b": asked_for(entry | {"categories": ["b"], "per_category": 1}),
        "one of each": asked_for(entry | {"per_category": 1}),
    }
    assert {name: "".join(asked.text for asked in found) for name, found in chosen.items()} == {
        "both": "1234",
        "one": "234",
        "two of each": "12356",
        "one of b": "2",
        "one of each": "135",
    }


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"categories": ["c"]}, r"prompts \(csv\): unknown category 'c'. Known: a, b"),
    ],
)
def test_a_choice_that_cannot_be_is_named(tmp_path: Path, choice: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose(tmp_path, **choice)


def test_equal_prompts_are_numbered_in_the_whole_set_whatever_is_chosen(tmp_path: Path) -> None:
    prompts = [{"prompt": "cat", "category": kind} for kind in "aab"] + [{"prompt": "cat", "negative": ""}]
    entry = jsonl(tmp_path / "p.jsonl", *prompts)
    assert [asked.ordinal for asked in asked_for(entry)] == [0, 1, 2, 0], "no negative prompt is not the empty one"
    assert [asked.ordinal for asked in asked_for(entry | {"categories": ["b"]})] == [2]


def test_what_two_sets_have_in_common_is_asked_for_once(tmp_path: Path) -> None:
    first = jsonl(tmp_path / "one.jsonl", {"prompt": "cat", "category": "x"}, {"prompt": "dog"}, {"prompt": "cat"})
    second = jsonl(tmp_path / "two.jsonl", {"prompt": "fish"}, {"prompt": "cat", "category": "y"})
    found = asked_for(first, second | {"samples": 3})
    assert [(asked.text, asked.ordinal, asked.samples) for asked in found] == [
        ("cat", 0, 3),
        ("dog", 0, 1),
        ("cat", 1, 1),
        ("fish", 0, 3),
    ]
    cat = found[0]
    assert [(one.prompt_set, one.prompt.categories) for one in cat.requests_of(0)] == [("one", ("x",)), ("two", ("y",))]
    assert [one.prompt_set for one in cat.requests_of(2)] == ["two"]


def test_prompts_with_different_input_images_are_different_prompts(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    prompts = [{"prompt": "make it night", "images": name} for name in "aba"]
    assert [asked.ordinal for asked in asked_for(jsonl(tmp_path / "p.jsonl", *prompts))] == [0, 0, 1]


def told(*, prompts: list[list[str]]) -> PromptSet:
    """Return a set that has no file: pairs of id and text."""
    return PromptSet(tuple(Prompt(*pair) for pair in prompts), "told", "", "")


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([["a", "a fish"], ["a", "a cat"]], r"prompts\.0 \(told\): prompt 2 has the id 'a' of an earlier one"),
        ([["a", "a fish"], ["b", " "]], r"prompts\.0 \(told\): prompt 2, with the id 'b', is empty"),
    ],
)
def test_a_set_without_a_file_is_looked_at_as_well(
    prompts: list[list[str]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROMPT_SETS, "told", f"{__name__}:told")
    with pytest.raises(DataError, match=message):
        asked_for({"kind": "told", "options": {"prompts": prompts}})
