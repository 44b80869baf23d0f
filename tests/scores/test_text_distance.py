"""GNED and the share of words that are read: pairs, words without a partner, and what upstream's script has wrong."""

import pytest

from diptych.scores.text_distance import WordMatch, asked_words, matched_words, read_words


def matched(texts: list[str], lines: list[str], words: str) -> WordMatch:
    assert words in ("upstream", "whole")
    return matched_words(asked_words(texts, words), read_words(lines, words), words)


@pytest.mark.parametrize("words", ["upstream", "whole"])
def test_words_pair_so_that_the_sum_is_least_and_the_others_count_one(words: str) -> None:
    found = matched(["drink", "tea", "eat"], ["eat drinks", "TEA now"], words)
    assert found.distance == pytest.approx((1 / 6 + 1) / 4)
    assert found.unread == ()


@pytest.mark.parametrize("words", ["upstream", "whole"])
def test_nothing_read_is_as_far_as_can_be(words: str) -> None:
    assert matched(["drink", "tea"], [], words) == WordMatch(1.0, ("drink", "tea"))


def test_a_text_of_two_words_is_never_found_by_upstream_and_is_when_split() -> None:
    official, corrected = (matched(["Green Tea"], ["Green Tea"], words) for words in ("upstream", "whole"))
    assert corrected == WordMatch(0.0, ())
    assert official.distance == pytest.approx((4 / 9 + 1) / 2)
    assert official.unread == ("green tea",)


def test_a_second_space_is_an_empty_word_to_upstream_alone() -> None:
    assert matched(["green", "tea"], ["green  tea"], "upstream").distance == pytest.approx(1 / 3)
    assert matched(["green", "tea"], ["green  tea"], "whole").distance == 0.0


def test_a_word_takes_the_one_that_another_needs_in_upstreams_recall_alone() -> None:
    texts, lines = ["reading", "readings"], ["readings reeling"]  # the second is near to the first word alone
    assert matched(texts, lines, "upstream").unread == ("readings",)
    assert matched(texts, lines, "whole").unread == ()


def test_letters_of_any_width_and_case_are_the_same_in_corrected() -> None:
    assert matched(["STRASSE"], ["stra\u00dfe"], "whole").distance == 0.0
    assert matched(["STRASSE"], ["stra\u00dfe"], "upstream").distance > 0.0
