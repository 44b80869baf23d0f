"""Which prompts of two datasets have one name and are not the same: by default a name is a line of some file of a kind.

Only datasets whose manifests tell of the prompt set are held against each other. Elsewhere the column ``caption``
may be any text, and what a prompt is called has to do.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from diptych.data.generated_columns import BENCHMARK, columns_of
from diptych.evaluate.inputs.scored_rows import ScoredRows

Prompt = tuple[Any, ...]  # the values of the columns that name it


def told_apart(rows: Mapping[str, ScoredRows]) -> dict[str, ScoredRows]:
    """Return the datasets of a run, each knowing its prompts that an earlier one has with another text."""
    told = Counter(label for each in rows.values() for label in each.prompt_kinds)
    shared = {label for label, count in told.items() if count > 1}
    found = later_texts(_prompts(each, shared) for each in rows.values())
    return {label: replace(each, other_texts=texts) for (label, each), texts in zip(rows.items(), found, strict=True)}


def later_texts(datasets: Iterable[Iterable[tuple[Prompt, str]]]) -> list[dict[Prompt, str]]:
    """Return for each dataset its prompts, with their texts, that have another text in the first that has them.

    A prompt that has several texts in a dataset has none that is its own there.

    >>> later_texts([[(("txt", "1"), "a dog")], [(("txt", "1"), "a castle"), (("txt", "2"), "a hill")]])
    [{}, {('txt', '1'): 'a castle'}]
    """
    first: dict[Prompt, str] = {}
    found = []
    for prompts in datasets:
        texts: defaultdict[Prompt, set[str]] = defaultdict(set)
        for prompt, text in prompts:
            texts[prompt].add(text)
        own = {prompt: each.pop() for prompt, each in texts.items() if len(each) == 1}
        found.append({prompt: text for prompt, text in own.items() if first.setdefault(prompt, text) != text})
    return found


def _prompts(rows: ScoredRows, shared: Collection[str]) -> Iterable[tuple[Prompt, str]]:
    """Return prompt and text of each image of the prompt sets that the dataset and another one tell of."""
    names = columns_of("prompt")
    known = rows.prompt_kinds.keys() & shared
    if not known or not all(map(rows.has, (*names, "caption"))):
        return []
    prompts = zip(*(rows.values(name).to_pylist() for name in names), strict=True)
    both = zip(prompts, rows.values("caption").to_pylist(), strict=True)
    return [(prompt, text) for prompt, text in both if prompt[names.index(BENCHMARK)] in known and text is not None]
