"""What names of prompts stand for in a run: the datasets of it in their order, see ``same_prompt``."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from diptych.data.same_prompt import texts_apart
from diptych.evaluate.inputs.scored_rows import ScoredRows


def told_apart(rows: Mapping[str, ScoredRows]) -> dict[str, ScoredRows]:
    """Return the datasets of a run, each knowing which text the names of its prompts stand for in those before it."""
    first: dict[tuple[Any, ...], str] = {}
    found = {}
    for label, each in rows.items():
        found[label] = replace(each, first_texts=dict(first))
        texts_apart(each.prompts_told, first)
    return found
