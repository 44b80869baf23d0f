from pathlib import Path

import numpy as np
import pytest

from diptych.reports.read.rows import Meaning, RowsPart, join


def part(dataset: str, keys: list[str], identity: str, **scores: list[float]) -> RowsPart:
    meanings = {name: Meaning(name, "", "", None, None, None, None, identity) for name in scores}
    numbers = {name: np.asarray(values, np.float32) for name, values in scores.items()}
    columns = {"dataset": [dataset] * len(keys), "key": keys}
    return RowsPart(columns, {}, numbers, {}, meanings, {}, len(keys))


def test_sources_are_put_below_one_another_and_missing_columns_are_empty() -> None:
    rows = join([part("a", ["1", "2"], "x", clip=[1, 2]), part("b", ["1"], "x", other=[5])], {"a": Path("a")})
    assert len(rows) == 3
    assert rows.columns["model"] == [None] * 3
    np.testing.assert_array_equal(rows.numbers["clip"], np.asarray([1, 2, np.nan], np.float32))
    np.testing.assert_array_equal(rows.numbers["other"], np.asarray([np.nan, np.nan, 5], np.float32))
    assert rows.index == {("a", "1"): 0, ("a", "2"): 1, ("b", "1"): 2}


def test_one_score_of_two_sources_is_one_column() -> None:
    rows = join([part("a", ["1"], "x", clip=[1]), part("b", ["1"], "x", clip=[2])], {})
    assert list(rows.numbers) == ["clip"]
    assert rows.numbers["clip"].tolist() == [1, 2]


def test_scores_of_different_identity_are_never_one_column() -> None:
    rows = join([part("a", ["1"], "aaaa", clip=[1]), part("b", ["1"], "bbbb", clip=[2])], {})
    assert list(rows.numbers) == ["clip (aaaa)", "clip (bbbb)"]
    assert np.isnan(rows.numbers["clip (aaaa)"][1])


def test_reasons_follow_their_rows() -> None:
    first, second = part("a", ["1", "2"], "x", clip=[1, 2]), part("b", ["1"], "x", clip=[np.nan])
    second.reasons = {"clip": {0: "no_caption"}}
    assert join([first, second], {}).reasons == {"clip": {2: "no_caption"}}


def test_where_compares_as_text() -> None:
    rows = join([RowsPart({"dataset": ["a", "a"], "key": ["1", "2"], "guidance": [5.0, 7.5]}, total=2)], {})
    assert rows.where(guidance="5") == [0]
    assert rows.where(guidance=7.5, dataset="a") == [1]


def test_sample_says_so() -> None:
    assert join([RowsPart({"dataset": ["a"], "key": ["1"]}, total=9)], {}).is_sample
    assert not join([RowsPart({"dataset": ["a"], "key": ["1"]}, total=1)], {}).is_sample


def test_no_rows_at_all_is_no_error() -> None:
    rows = join([], {})
    assert len(rows) == 0
    with pytest.raises(KeyError):
        rows.index["a", "b"]
