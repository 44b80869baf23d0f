"""Which prompts of two datasets have one name and are not the same: by default a name is a line of some file of a kind.

Only datasets whose manifests tell of the prompt set are held against each other. Elsewhere the column ``caption``
may be any text, and what a prompt is called has to do.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from diptych.data.generated_columns import BENCHMARK, columns_of
from diptych.evaluate.inputs.scored_rows import ScoredRows

Prompt = tuple[Any, ...]  # the values of the columns that name it
Name = TypeVar("Name", bound=Hashable)  # what a prompt is called


def told_apart(rows: Mapping[str, ScoredRows]) -> dict[str, ScoredRows]:
    """Return the datasets of a run, each knowing its prompts that an earlier one has with another text."""
    told = Counter(label for each in rows.values() for label in each.prompt_kinds)
    shared = {label for label, count in told.items() if count > 1}
    found = later_texts(_prompts(each, shared) for each in rows.values())
    return {label: replace(each, other_texts=texts) for (label, each), texts in zip(rows.items(), found, strict=True)}


def later_texts(datasets: Iterable[Iterable[tuple[Name, str]]]) -> list[dict[Name, str]]:
    """Return for each dataset its prompts, with their texts, that have another text in the first that has them.

    A prompt that has several texts in a dataset has none that is its own there.

    >>> later_texts([[(("txt", "1"), "a dog")], [(("txt", "1"), "a castle"), (("txt", "2"), "a hill")]])
    [{}, {('txt', '1'): 'a castle'}]
    """
    first: dict[Name, str] = {}
    found = []
    for prompts in datasets:
        texts: defaultdict[Name, set[str]] = defaultdict(set)
        for prompt, text in prompts:
            texts[prompt].add(text)
        own = {prompt: each.pop() for prompt, each in texts.items() if len(each) == 1}
        found.append({prompt: text for prompt, text in own.items() if first.setdefault(prompt, text) != text})
    return found


def told_texts(rows: ScoredRows) -> list[str | None]:
    """Return of each image of a dataset the text of its prompt, where the dataset tells of the prompt's set."""
    if not rows.prompt_kinds or not all(map(rows.has, (*columns_of("prompt"), "caption"))):
        return [None] * len(rows)
    both = zip(rows.values(BENCHMARK).to_pylist(), rows.values("caption").to_pylist(), strict=True)
    return [text if label in rows.prompt_kinds else None for label, text in both]


def _prompts(rows: ScoredRows, shared: Collection[str]) -> Iterable[tuple[Prompt, str]]:
    """Return prompt and text of each image of the prompt sets that the dataset and another one tell of."""
    names, texts = columns_of("prompt"), told_texts(rows)
    if not rows.prompt_kinds.keys() & shared or all(text is None for text in texts):
        return []
    prompts = zip(*(rows.values(name).to_pylist() for name in names), strict=True)
    both = zip(prompts, texts, strict=True)
    return [(prompt, text) for prompt, text in both if prompt[names.index(BENCHMARK)] in shared and text is not None]
