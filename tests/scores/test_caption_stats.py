import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.scores import make_score
from diptych.scores.caption_stats import COLUMNS

NAMES = [column.name.removeprefix("caption_") for column in COLUMNS]


def measure(*captions: str | None) -> dict[str, list[Any]]:
    found = make_score("caption_stats", {}).score(SimpleNamespace(captions=list(captions)))  # type: ignore[arg-type]
    return {name.removeprefix("caption_"): values.tolist() for name, values in found.items()}


def one(caption: str | None) -> tuple[Any, ...]:
    found = measure(caption)
    return tuple(found[name][0] for name in NAMES)


@pytest.mark.parametrize(
    ("caption", "characters", "words", "letter_share", "repetition"),
    [
        ("", 0, 0, 0, 0),
        ("  \n\t ", 0, 0, 0, 0),
        ("cat", 3, 1, 1, 0),
        ("  a cat  ", 5, 2, 1, 0),
        ("cat cat Cat CAT", 15, 4, 1, 0.75),
        ("a b a b", 7, 4, 1, 0.5),
        ("12345", 5, 1, 0, 0),
        ("SKU 12-345", 10, 2, 3 / 9, 0),
        ("🐻🐻 🐻🐻", 5, 2, 0, 0.5),
        ("👩‍👩‍👧", 5, 1, 0, 0),
        ("שלום עולם", 9, 2, 1, 0),
        ("مرحبا", 5, 1, 1, 0),
        ("e\u0301te\u0301", 5, 1, 1, 0),
        ("漢字 かな", 5, 2, 1, 0),
        ("a\u00a0b", 3, 2, 1, 0),
        ("\ud800 x", 3, 2, 0.5, 0),
    ],
)
def test_the_counts_of_known_captions(
    caption: str, characters: int, words: int, letter_share: float, repetition: float
) -> None:
    found = one(caption)
    assert found[:2] == (characters, words)
    assert found[2:4] == pytest.approx((letter_share, repetition))


@pytest.mark.parametrize(
    ("caption", "is_filename"),
    [
        ("IMG_1234.jpg", True),
        ("IMG_1234", True),
        ("DSC-00017", True),
        ("dscn 0042", True),
        ("photo12", True),
        ("my-holiday.JPEG", True),
        ("a/b/c.webp", True),
        ("https://example.org/x", True),
        ("index.php", True),
        (" IMG_1.png ", True),
        ("", False),
        ("photo", False),
        ("a photo of IMG_1234.jpg", False),
        ("photo 12 of my holiday", False),
        ("The end.", False),
        ("see https://example.org", False),
        ("v1.5", False),
        ("jpg", False),
    ],
)
def test_file_names_and_addresses_are_told_from_captions(caption: str, is_filename: bool) -> None:
    assert one(caption)[4] is is_filename


def test_a_row_without_a_caption_has_no_counts_and_a_reason() -> None:
    found = measure("a", None)
    assert found["reason"] == [None, "no_caption"]
    assert (found["characters"], found["words"], found["is_filename"]) == ([1, None], [1, None], [False, None])
    assert np.isnan([found["letter_share"][1], found["repetition"][1]]).all()


def test_a_batch_without_rows_is_scored() -> None:
    assert {name: values for name, values in measure().items() if values} == {}


@pytest.mark.parametrize("unit", ["word ", "x", ".", "img", "a.jpg.", "https://", "\u202e", "1"])
def test_a_megabyte_is_counted_in_good_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.monotonic()
    assert one(text)[0] == len(text.strip())
    assert time.monotonic() - start < 5


@given(st.lists(st.text(), max_size=5))
def test_counts_stay_in_their_ranges_and_do_not_depend_on_the_batch(captions: list[str]) -> None:
    found = measure(*captions)
    for row, caption in enumerate(captions):
        alone = one(caption)
        assert tuple(found[name][row] for name in NAMES) == alone
        assert 0 <= alone[1] <= alone[0] <= len(caption)
        assert 0 <= alone[2] <= 1
        assert 0 <= alone[3] < 1


def test_the_score_reads_captions_only() -> None:
    score = make_score("caption_stats", {})
    assert score.reads == {"caption"}
    assert score.identity == {"score": "caption_stats", "version": 1}
