"""Which categories a set of prompts has: a mean over categories is that of the set only if all of them are answered."""

from collections.abc import Collection, Iterable

from diptych.scores.geneval_rule import CATEGORIES, PROMPT_SET

# Benchmark -> its categories, where they are known whatever part of its prompts was asked. To add one: a line here.
KNOWN: dict[str, Collection[str]] = {PROMPT_SET: CATEGORIES}


def categories_of_sets(benchmarks: Iterable[str], seen: Iterable[str]) -> frozenset[str]:
    """Return all categories of some benchmarks.

    Args:
        benchmarks: Their labels.
        seen: The categories that prompts of theirs have, as far as they were asked.

    >>> sorted(categories_of_sets(["own", "own"], ["a", "b", "a"]))
    ['a', 'b']
    >>> len(categories_of_sets(["geneval"], ["counting"]))
    6
    """
    known = (name for benchmark in set(benchmarks) for name in KNOWN.get(benchmark, ()))
    return frozenset({*seen, *known})


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
