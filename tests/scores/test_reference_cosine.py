"""The cosine of a picture and a text that its prompt brings, by an encoder of the test's own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tiny_dataset import good_rows, make_table

from diptych.data.schema import data_schema
from diptych.errors import DataError
from diptych.scores import make_score
from diptych.scores.batches import Batch


class Letters:
    """Every picture is the first axis, and a text that begins with a; others are the second. Three words are cut."""

    dim = 2

    def __init__(self) -> None:
        self.identity = {"encoder": "letters"}
        self.asked: list[str] = []

    def prepare(self, image: Any) -> Any:
        return np.zeros(1)

    def images(self, prepared: Sequence[Any]) -> np.ndarray:
        return np.tile(np.float32([1, 0]), (len(prepared), 1))

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.float32([[1, 0] if text.startswith("a") else [0, 2] for text in texts])

    def truncated(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([len(text.split()) > 2 for text in texts])


def found(encoder: Letters, texts: list[str | None], **options: Any) -> dict[str, Any]:
    table = make_table(good_rows(len(texts)))
    column = pa.field("reference_answer", pa.string())
    table = table.append_column(column, pa.array(texts, pa.string())).cast(data_schema([column]))
    return make_score("reference_cosine", {"encoder": encoder, **options}).score(Batch(table.to_batches()[0]))


def test_picture_is_held_against_the_text_of_its_prompt_and_not_against_its_caption() -> None:
    said = found(Letters(), ["a b", "b", "a b c"])
    np.testing.assert_allclose(said["reference_cosine"], [1, 0, 1], atol=1e-6)
    assert said["reference_truncated"].tolist() == [False, False, True]
    assert said["reason"].tolist() == [None] * 3


def test_prompt_without_a_text_asks_nothing_and_one_text_is_read_once() -> None:
    encoder = Letters()
    said = found(encoder, ["a", None, "", "a"])
    assert np.isnan(said["reference_cosine"]).tolist() == [False, True, True, False]
    assert said["reason"].tolist() == [None, "not_asked", "not_asked", None]
    assert encoder.asked == ["a"]


def test_column_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(DataError, match="unknown column 'answers'"):
        found(Letters(), ["a"], column="answers")
