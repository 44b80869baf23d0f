"""Which categories a set of prompts has: a mean over categories is that of the set only if all of them are answered."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from diptych.asset_families import CORE_DIMENSIONS
from diptych.scores.geneval_rule import CATEGORIES, PROMPT_SET

# Kind of prompt set -> its categories, where they are known whatever part of its prompts was asked. To add one: a line.
KNOWN: dict[str, Collection[str]] = {PROMPT_SET: CATEGORIES, "t2i_corebench": tuple(CORE_DIMENSIONS)}


class AskedSet(NamedTuple):
    """A set of prompts that a dataset has images of; ``kind`` as of ``kind_of``."""

    dataset: str
    benchmark: str
    kind: str


def kind_of(benchmark: str, kinds: Mapping[str, str]) -> str:
    """Return the kind of a prompt set by its label; where the dataset does not tell, the label itself.

    >>> kind_of("lite", {"lite": "geneval"}), kind_of("geneval", {})
    ('geneval', 'geneval')
    """
    return kinds.get(benchmark, benchmark)


def categories_of_sets(kinds: Iterable[str], seen: Iterable[str]) -> frozenset[str]:
    """Return all categories of some prompt sets.

    Args:
        kinds: Of the sets, see ``kind_of``.
        seen: The categories that prompts of theirs have, as far as they were asked.

    >>> sorted(categories_of_sets(["jsonl", "jsonl"], ["a", "b", "a"]))
    ['a', 'b']
    >>> len(categories_of_sets(["geneval"], ["counting"]))
    6
    """
    known = (name for kind in set(kinds) for name in KNOWN.get(kind, ()))
    return frozenset({*seen, *known})


def categories_by_set(sets: Iterable[AskedSet], categories: Iterable[Iterable[str]]) -> dict[AskedSet, frozenset[str]]:
    """Return all categories of each set of prompts, from the set and the categories of each image that was asked for.

    >>> one, other = AskedSet("d", "one", "jsonl"), AskedSet("d", "other", "jsonl")
    >>> found = categories_by_set([one, other, one], [["a"], ["c"], ["a", "b"]])
    >>> sorted(found[one]), sorted(found[other])
    (['a', 'b'], ['c'])
    """
    seen: defaultdict[AskedSet, set[str]] = defaultdict(set)
    for each, names in zip(sets, categories, strict=True):
        seen[each].update(names)
    return {each: categories_of_sets([each.kind], names) for each, names in seen.items()}


def unanswered(wanted: Iterable[str], answered: Iterable[str]) -> str:
    """Return the categories without an answer in words; empty where there is none.

    >>> unanswered(["b", "", "a"], ["b"])
    'no image scored of 2 of the 3 categories: none, a'
    """
    wanted = sorted(wanted)
    lacking = sorted(set(wanted) - set(answered))
    if not lacking:
        return ""
    names = ", ".join(name or "none" for name in lacking)
    return f"no image scored of {len(lacking)} of the {len(wanted)} categories: {names}"
