"""The sets of T2I-CompBench: counts, what is asked of each prompt, and how complex ones are routed."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.asset_families import COMPBENCH_FILES
from diptych.asset_table import ASSETS
from diptych.assets import file_sha256
from diptych.errors import DataError
from diptych.generate.prompts import PROMPT_SETS, PromptSet
from diptych.generate.prompts.t2i_compbench import (
    t2i_compbench_3d_spatial,
    t2i_compbench_color,
    t2i_compbench_complex,
    t2i_compbench_numeracy,
    t2i_compbench_spatial,
)
from diptych.lookup import import_attribute

NAMES = [name for name in PROMPT_SETS if name.startswith("t2i_compbench_")]


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "benchmarks" / "t2i_compbench"


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def test_files_are_those_that_upstream_publishes(folder: Path) -> None:
    for name, (sha256, size) in COMPBENCH_FILES.items():
        file = folder / f"{name}.txt"
        assert (file_sha256(file), file.stat().st_size) == (sha256, size)
        assert ASSETS[f"t2i-compbench-{name}"].licence == "MIT"


@pytest.mark.parametrize("name", NAMES)
def test_every_set_has_300_prompts_that_are_upstreams(folder: Path, name: str) -> None:
    make: Callable[..., PromptSet] = import_attribute(PROMPT_SETS[name])
    found = make(path=folder)
    assert len({prompt.text for prompt in found.prompts}) == len(found.prompts) == 300
    assert {prompt.categories[0] for prompt in found.prompts} == {name.removeprefix("t2i_compbench_")}
    assert (found.licence, found.source.startswith("https://")) == ("MIT", True)
    assert (found.prompts[0].id, found.prompts[-1].id) == ("00000", "00299")
    assert not any("\r" in prompt.text for prompt in found.prompts)


def test_two_coloured_things_are_two_questions(folder: Path) -> None:
    first = t2i_compbench_color(path=folder).prompts[0]
    assert [one.question for one in first.checks.questions] == ["a green bench?", "a blue bowl?"]
    assert (first.checks.questions[0].choices, first.checks.questions[0].answer) == (("yes", "no"), "yes")


def test_phrases_of_a_file_are_asked_in_place_of_the_rule_and_the_set_is_the_users(
    folder: Path, tmp_path: Path
) -> None:
    prompts = t2i_compbench_color(path=folder).prompts
    lines = [json.dumps({"prompt": prompt.text, "phrases": ["it", "a thing"]}) for prompt in prompts]
    file = tmp_path / "spacy.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    found = t2i_compbench_color(path=folder, phrases=file)
    assert [one.question for one in found.prompts[7].checks.questions] == ["it?", "a thing?"]
    assert (found.source, found.licence) == ("color_val.txt, spacy.jsonl", "")
    file.write_text(lines[0], "utf-8")
    with pytest.raises(DataError, match=r"color_val\.txt:2: .* has no noun phrases"):
        t2i_compbench_color(path=folder, phrases=file)


def test_text_without_adjectives_of_complex_prompts_may_come_from_the_file_too(folder: Path, tmp_path: Path) -> None:
    prompts = t2i_compbench_complex(path=folder).prompts
    told = {"phrases": ["a thing"], "without_adjectives": "The hat was on top of the coat rack ."}
    lines = [json.dumps({"prompt": prompt.text, **told}) for prompt in prompts]
    (tmp_path / "spacy.jsonl").write_text("\n".join(lines), "utf-8")
    found = t2i_compbench_complex(path=folder, phrases=tmp_path / "spacy.jsonl")
    assert found.prompts[9].columns == {"without_adjectives": told["without_adjectives"]}
    assert found.licence == ""


def test_place_is_a_relation_of_what_a_detector_calls_things(folder: Path) -> None:
    second = t2i_compbench_spatial(path=folder).prompts[1]
    assert second.text == "a girl on the top of a frog"
    (relation,) = second.checks.relations
    assert (relation.first, relation.place, relation.second) == ("person", "on the top of", "frog")
    places = Counter(
        one.place for prompt in t2i_compbench_spatial(path=folder).prompts for one in prompt.checks.relations
    )
    assert places["on the top of"] == 56
    assert sum(places.values()) == 300


def test_3d_prompts_have_three_places_and_four_of_them_one_class_twice(folder: Path) -> None:
    every = [one for prompt in t2i_compbench_3d_spatial(path=folder).prompts for one in prompt.checks.relations]
    assert Counter(one.place for one in every) == {"hidden": 115, "in front of": 102, "behind": 83}
    assert sum(one.first == one.second for one in every) == 4


def test_numbers_are_exact_and_things_have_upstreams_other_names(folder: Path) -> None:
    by_text = {prompt.text: prompt.checks for prompt in t2i_compbench_numeracy(path=folder).prompts}
    three = by_text["one paddle and three goldfish"]
    assert [(one.label, one.count) for one in three.include] == [("paddle", 1), ("fish", 3)]
    assert [(one.label, one.count) for one in three.exclude] == [("paddle", 2), ("fish", 4)]
    assert by_text["six people gathered for a picnic"].include[0].label == "person"
    burger = by_text["three camels shared a burger"]
    assert [one.label for one in burger.include] == ["camel"], "no thing of the list"


def test_complex_prompts_are_routed_as_upstream_does_and_places_are_found_within(folder: Path) -> None:
    prompts = t2i_compbench_complex(path=folder).prompts
    parts = Counter(prompt.categories[1] for prompt in prompts)
    assert parts == {"spatial": 58, "action": 212, "spatialaction": 30}
    on_top = [prompt for prompt in prompts if any(one.place == "on top of" for one in prompt.checks.relations)]
    assert len(on_top) == 33
    assert not any(prompt.checks.relations for prompt in prompts if prompt.categories[1] == "action")
    (hat,) = prompts[0].checks.relations
    assert (hat.first, hat.place, hat.second) == ("hat", "on top of", "rack")
    assert prompts[0].columns == {"without_adjectives": "The hat was on top of the rack."}
    misread = [
        (one.first, one.misread_first) for prompt in prompts for one in prompt.checks.relations if one.misread_first
    ]
    assert misread == [("cone", "air"), ("parallelogram", "air"), ("sphere", "air")]
    nowhere = [prompt.text for prompt in prompts if prompt.categories[1] != "action" and not prompt.checks.relations]
    assert [text[:24] for text in nowhere] == ["The fiery, blazing sun s"]


@pytest.mark.parametrize(
    ("make", "files", "message"),
    [
        (
            t2i_compbench_spatial,
            {"spatial_val": "a cat near a dog\r\na cat and a dog"},
            r"spatial_val\.txt:2: .* how one",
        ),
        (t2i_compbench_3d_spatial, {"3d_spatial_val": "a cat near a dog"}, "does not say how one thing lies"),
        (t2i_compbench_numeracy, {"numeracy_val": "two cats", "new_objects": "dog - dogs"}, "no number of things"),
        (t2i_compbench_numeracy, {"numeracy_val": "two cats", "new_objects": "cats"}, r"new_objects\.txt:1: 'cats'"),
        (t2i_compbench_color, {"color_val": "it"}, "has no noun phrases"),
        (t2i_compbench_color, {}, "no such file of prompts"),
    ],
)
def test_file_of_another_form_is_refused(
    tmp_path: Path, make: Callable[..., PromptSet], files: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        make(path=written(tmp_path, **files))
