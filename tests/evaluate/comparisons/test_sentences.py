"""Differences as sentences."""

import dataclasses
from typing import Any

import pytest

from diptych.evaluate.comparisons.sentences import sentence
from diptych.store.store import DifferenceRow


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "m: a is better than b (+1"),
        ({"better": "lower"}, "m: a is worse than b (+1"),
        ({"better": None}, "m: a is higher than b (+1"),
        ({"value": -1.0, "ci_low": -1.5, "ci_high": -0.5, "better": None}, "m: a is lower than b (-1"),
        ({"value": -1.0, "ci_low": -1.5, "ci_high": -0.5, "better": "lower"}, "m: a is better than b (-1"),
        ({"ci_low": -0.1}, "m: a and b cannot be told apart by these images (+1"),
        ({"p_adjusted": 0.5}, "m: a and b cannot be told apart by these images (+1"),
        ({"p_adjusted": 0.05}, "m: a and b cannot be told apart by these images (+1"),
        ({"p_adjusted": None}, "m: a is better than b (+1"),
        ({"ci_low": 0.0}, "m: a and b cannot be told apart by these images (+1"),
        ({"ci_low": None, "ci_high": None, "reason": "too_few_prompts"}, "m: a - b = +1, without an interval"),
        ({"value": None, "reason": "no_common_images"}, "m: a and b cannot be compared: no_common_images"),
        ({"a": "\x1b[31m"}, "m: ?[31m is better"),
    ],
)
def test_sentences(changes: dict[str, Any], says: str) -> None:
    row = DifferenceRow("r", "m", "d", {}, "a", "b", 1.0, 0.2, 0.5, 1.5, 0.01, 0.02, 9, 3, "higher", "id")
    assert sentence(dataclasses.replace(row, **changes)).startswith(says)


def test_nothing_is_minus_zero_whichever_way_round() -> None:
    row = DifferenceRow("r", "m", "d", {}, "a", "b", 0.0, 0.2, -0.0, 0.5, 0.01, 0.02, 9, 3, "higher", "id")
    turned = row.turned()
    assert (turned.a, str(turned.value), turned.ci_low, str(turned.ci_high)) == ("b", "0.0", -0.5, "0.0")
    assert sentence(dataclasses.replace(turned, value=-0.0)).startswith(
        "m: b and a cannot be told apart by these images (+0, 95 % interval -0.5 to +0, "
    )
    assert "a - b = +0, without" in sentence(dataclasses.replace(row, value=-0.0, ci_low=None, reason="no_interval"))


def test_two_settings_are_named_in_the_sentence() -> None:
    groups = {"setting_a": "flow-28", "setting_b": "euler-50"}
    row = DifferenceRow("r", "m", "d", groups, "a", "b", 1.0, 0.2, 0.5, 1.5, 0.01, 0.02, 9, 3, "higher", "id")
    assert "p 0.02, with the setting flow-28 against euler-50)" in sentence(row)


def test_what_a_difference_rests_on_stands_in_the_sentence() -> None:
    row = DifferenceRow("r", "m", "d", {}, "a", "b", 1.0, 0.2, 0.5, 1.5, 0.01, 0.02, 9, 3, "higher", "id")
    told = dataclasses.replace(row, caution="9 of 553 prompts")
    assert sentence(told).endswith("p 0.02; 9 of 553 prompts).")
    assert sentence(row).endswith("p 0.02).")


def test_the_dataset_is_named_where_that_is_asked() -> None:
    row = DifferenceRow("r", "m", "pool", {}, "a", "b", 1.0, 0.2, 0.5, 1.5, 0.01, 0.02, 9, 3, "higher", "id")
    assert sentence(row, of_dataset=True).startswith("m of pool: a is better")
