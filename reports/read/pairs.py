"""Which images of a report are held beside each other: those of one prompt and seed or sample, see ``same_prompt``."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from diptych.data.generated_columns import BENCHMARK, PROMPT_ID, SEED
from diptych.data.same_prompt import texts_apart


def pairs_of(columns: Mapping[str, Sequence[Any]], told: Mapping[str, Collection[str]]) -> list[int]:
    """Return for each row the number of its prompt and seed (or sample); -1 where it has no prompt or no model.

    Args:
        columns: Of the report, each as long as there are rows.
        told: By dataset the prompt sets of which its manifest tells, whose captions are prompts.
    """
    rows = range(len(columns["model"]))
    labels, ids, captions = columns[BENCHMARK], columns[PROMPT_ID], columns["caption"]
    names = [(labels[row], ids[row] or captions[row]) for row in rows]
    texts = [captions[row] if labels[row] in told.get(columns["dataset"][row], ()) else None for row in rows]
    apart = texts_apart(zip(names, texts, strict=True), {})
    numbers: dict[tuple[Any, ...], int] = {}
    found = []
    for row in rows:
        seed = columns[SEED][row] if columns[SEED][row] is not None else columns["sample"][row]
        is_known = columns["model"][row] is not None and names[row][1] is not None
        key = (*names[row], apart[row], seed)
        found.append(numbers.setdefault(key, len(numbers)) if is_known else -1)
    return found
