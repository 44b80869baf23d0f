"""Columns with several values a row: a row is in the group of each."""

import numpy as np
import pyarrow as pa

from diptych.evaluate.inputs.memberships import distinct, holds, members
from diptych.evaluate.inputs.row_codes import linked
from diptych.evaluate.inputs.scored_rows import group_by

KINDS = pa.array([["b", "a"], [], None, ["a"], ["c"]], pa.list_(pa.string()))


def test_every_value_stands_with_its_row_and_a_row_without_any_has_null() -> None:
    found = members(KINDS)
    assert found.positions.tolist() == [0, 0, 1, 2, 3, 4]
    assert found.values.to_pylist() == ["b", "a", None, None, "a", "c"]
    sliced = members(KINDS.slice(2, 2))
    assert (sliced.positions.tolist(), sliced.values.to_pylist()) == ([0, 1], [None, "a"])


def test_a_column_of_single_values_is_itself() -> None:
    words = pa.array(["a", None, "b"])
    assert members(words).values.equals(words)
    assert members(words).positions.tolist() == [0, 1, 2]


def test_a_value_is_held_alone_or_among_others() -> None:
    assert holds(KINDS, "a").tolist() == [True, False, False, True, False]
    assert not holds(KINDS, "d").any()
    assert distinct(KINDS) == {"a", "b", "c"}


def test_groups_of_several_columns_hold_a_row_for_each_of_its_values() -> None:
    model = pa.array(["x", "x", "y", "y", "x"])
    found = group_by({"category": KINDS, "model": model}, np.array([0, 2, 3, 4], np.int64))
    assert [(group.values["category"], group.values["model"], group.rows.tolist()) for group in found] == [
        (None, "y", [2]),
        ("a", "x", [0]),
        ("a", "y", [3]),
        ("b", "x", [0]),
        ("c", "x", [4]),
    ]
    swapped = group_by({"model": model, "category": KINDS}, np.arange(5, dtype=np.int64))
    assert sum(len(group.rows) for group in swapped) == 6


def test_prompts_that_share_an_image_are_one_and_others_stay_what_they_are() -> None:
    prompts = np.array([3, 3, 0, 1, 2, 0], np.int64)
    alone = pa.array([1, 2, 3, None, 4, None], pa.int64())
    assert linked(prompts, alone).tolist() == prompts.tolist()
    shared = pa.array([1, 2, 3, None, 2, None], pa.int64())
    assert linked(prompts, shared).tolist() == [2, 2, 0, 1, 2, 0]
    assert linked(prompts, pa.nulls(6, pa.int64())).tolist() == prompts.tolist()
    assert linked(np.empty(0, np.int64), pa.array([], pa.int64())).tolist() == []
