"""Ranks and groups from differences: worked cases, brute force, and whether they hold the truth in simulation."""

import math
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.statistics.paired import paired_difference
from diptych.store.rankings import _groups, rankings
from diptych.store.store import DifferenceRow


def row(a: str, b: str, value: float | None, *, told: bool = True, **changes: Any) -> dict[str, Any]:
    half = None if value is None else 0.5 * abs(value) if told else 2.0 * abs(value) + 1.0
    ends = (None, None) if value is None or half is None else (value - half, value + half)
    plain = DifferenceRow("r", "m", "d", {}, a, b, value, 1.0, *ends, 0.01, 0.01 if told else 0.5, 9, 9, "higher", "i")
    return {**asdict(plain), "wins": 5, "ties": 1, "losses": 3, **changes}


def test_a_chain_of_three_has_two_groups_and_the_middle_one_in_both() -> None:
    (found,) = rankings([row("x", "y", 1.0, told=False), row("x", "z", 2.0), row("y", "z", 1.0, told=False)])
    assert found.groups == (("x", "y"), ("y", "z"))
    assert [(each.label, each.rank, each.best, each.worst, each.groups) for each in found.labels] == [
        ("x", 1, 1, 2, (0,)),
        ("y", 2, 1, 3, (0, 1)),
        ("z", 3, 2, 3, (1,)),
    ]
    assert [(each.wins, each.ties, each.losses) for each in found.labels] == [(10, 2, 6), (8, 2, 8), (6, 2, 10)]


def test_where_lower_is_better_the_lowest_stands_first() -> None:
    pairs = [("x", "y", 1.0), ("x", "z", 3.0), ("y", "z", 2.0)]
    (found,) = rankings([row(*pair, better="lower") for pair in pairs])
    assert [each.label for each in found.labels] == ["z", "y", "x"]
    assert [(each.best, each.worst) for each in found.labels] == [(1, 1), (2, 2), (3, 3)]
    assert found.groups == (("z",), ("y",), ("x",))


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_a_pair_without_an_interval_is_told_apart_by_nothing(nothing: float | None) -> None:
    lacking = row("x", "y", nothing, reason="no_common_images")
    (found,) = rankings([lacking, row("x", "z", 2.0), row("y", "z", 2.0)])
    assert found.unknown == (("x", "y"),)
    assert found.groups == (("x", "y"), ("z",))
    without = row("x", "y", 1.0, ci_low=nothing, ci_high=nothing)
    (found,) = rankings([without, row("x", "z", 2.0), row("y", "z", 2.0)])
    assert [each.label for each in found.labels] == ["x", "y", "z"]
    assert found.unknown == (("x", "y"),)


def test_no_order_where_not_each_was_compared_with_each_or_of_parts() -> None:
    assert rankings([row("x", "y", 1.0), row("x", "z", 2.0)]) == []
    assert rankings([row("x", "y", 1.0)]) == []
    cut = [row(a, b, 1.0, groups={"category": "pair"}) for a, b in combinations("xyz", 2)]
    assert rankings(cut) == []
    how = [row(a, b, 1.0, groups={"equal_n": 5}) for a, b in combinations("xyz", 2)]
    assert len(rankings(how)) == 1


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(list(combinations("abcdef", 2)))))
def test_groups_are_the_largest_sets_of_which_no_two_are_told_apart(told: set[tuple[str, str]]) -> None:
    sets = [set(some) for size in range(1, 7) for some in combinations("abcdef", size)]
    free = [some for some in sets if not any(some >= set(pair) for pair in told)]
    largest = {tuple(sorted(some)) for some in free if not any(some < other for other in free)}
    found = _groups("abcdef", sorted(told))
    assert {tuple(sorted(group)) for group in found} == largest
    assert len(found) == len(largest)


def held(repetitions: int, *, prompts: int, truth: tuple[float, ...]) -> float:
    """Return how often all true ranks lie in their intervals, and no better one is said to be worse."""
    dice = np.random.default_rng(23)
    names = [f"m{number}" for number in range(len(truth))]
    low = [1 + sum(other > own for other in truth) for own in truth]
    high = [sum(other >= own for other in truth) for own in truth]
    kept = 0
    for _ in range(repetitions):
        shared = dice.normal(0.0, 2.0, prompts)
        numbers = {
            name: shared + mean + dice.normal(0.0, 1.0, prompts) for name, mean in zip(names, truth, strict=True)
        }
        rows = []
        for a, b in combinations(names, 2):
            found = paired_difference(numbers[a], numbers[b], np.arange(prompts))
            ends = (found.value, found.se, found.ci_low, found.ci_high, found.p_value)
            rows.append(DifferenceRow("r", "m", "d", {}, a, b, *ends, None, prompts, prompts, "higher", "i"))
        (ranking,) = rankings(map(asdict, adjusted(rows)))
        places = {each.label: each for each in ranking.labels}
        spans = zip(names, low, high, strict=True)
        kept += all(places[name].best <= first and places[name].worst >= last for name, first, last in spans)
    return kept / repetitions


def test_ranks_hold_the_truth() -> None:
    assert held(150, prompts=20, truth=(0.0, 0.0, 0.0, 0.6)) >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize("truth", [(0.0,) * 5, (0.0, 0.0, 0.3, 0.6), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)])
def test_ranks_hold_the_truth_in_95_percent(truth: tuple[float, ...]) -> None:
    assert held(3000, prompts=25, truth=truth) >= 0.945
