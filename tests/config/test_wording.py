"""What is wrong with a config is said in words that need no Python to read, whichever value of whichever key it is."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from diptych.cli import CONFIGS
from diptych.config.places import causes, what_is_wrong
from diptych.config.settings import Settings
from diptych.config.wording import WORDS
from diptych.lookup import import_attribute

WRONG = (
    *([], ["a"], [[1]], ["a"] * 50, {}, {"a": 1}, {"a": {}}, {"a b": "c"}),
    *(3, -3, 1.5, 10**30, float("nan"), True, None, "", "x", "short_side > 3", "x" * 5_000),
)
RAW = (
    "Input ",
    "should ",
    "valid dictionary",
    "instance of",
    "class '",
    "Tuple",
    "Dictionary",
    "String ",
    "tuple",
    "dict ",
)
OWN = {"value_error", "assertion_error", "sort", "named"}  # said by validators of ours
SAID_ELSEWHERE = {"missing", "extra_forbidden", "union_tag_invalid", "union_tag_not_found"}  # in ``places``


def models() -> list[type[Settings]]:
    """Return every model that a config is made of."""
    for target in CONFIGS.values():
        import_attribute(target)
    importlib.import_module("diptych.data.checks")
    found: list[type[Settings]] = []
    waiting = [Settings]
    while waiting:
        below = [one for one in waiting.pop().__subclasses__() if one.__module__.startswith("diptych.")]
        found += below
        waiting += below
    return sorted(set(found), key=lambda one: (one.__module__, one.__name__))


def problems_of(model: type[BaseModel]) -> Iterator[tuple[Any, dict[str, Any]]]:
    for key in model.model_fields:
        for value in WRONG:
            values = {key: value}
            try:
                model.model_validate(values)
            except ValidationError as error:
                yield from ((problem, values) for problem in causes(error))


@pytest.mark.parametrize("model", models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_no_words_of_pydantic_reach_who_wrote_a_config(model: type[Settings]) -> None:
    for problem, values in problems_of(model):
        assert problem["type"] in {*WORDS, *OWN, *SAID_ELSEWHERE}, problem
        said = what_is_wrong(problem, model, values).partition(", got ")[0]
        assert not any(raw in said for raw in RAW), said


@pytest.mark.parametrize(
    ("job", "values", "said"),
    [
        ("curate", {"select": "short_side > 3"}, "select: has to be a list of {name, where}, got 'short_side > 3'"),
        ("curate", {"select": ["short_side > 3"]}, "select.0: has to be a mapping {name, where}, got 'short_side > 3'"),
        ("curate", {"source": "photographs"}, "source: has to be a mapping {kind, path, ...}, got 'photographs'"),
        ("curate", {"source": {"kind": "folder", "path": ["a"]}}, "source.path: has to be a path, got ['a']"),
        ("curate", {"scores": "hashes"}, "scores: has to be a mapping of labels to {score, ...}, got 'hashes'"),
        ("curate", {"download": {"threads": 0}}, "download.threads: has to be at least 1, got 0"),
        ("curate", {"export": {"columns": "a"}}, "export.columns: has to be a list of values, got 'a'"),
        (
            "curate",
            {"source": {"kind": "folder", "path": "a", "captions": "sidcar"}},
            "source.captions: has to be 'sidecar', 'file_name' or 'none', got 'sidcar'",
        ),
    ],
)
def test_what_a_key_needs_is_said_with_the_keys_that_belong_there(job: str, values: dict[str, Any], said: str) -> None:
    model = import_attribute(CONFIGS[job])
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    lines = [what_is_wrong(problem, model, values) for problem in causes(caught.value)]
    assert said in lines
