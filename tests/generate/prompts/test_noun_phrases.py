"""Noun phrases by words: where they begin, where they end, and what is none."""

import pytest

from diptych.generate.prompts.noun_phrases import noun_phrases, without_adjectives


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("a green bench and a blue bowl", ["a green bench", "a blue bowl"]),
        ("rubber sole shoes and fluffy clouds", ["rubber sole shoes", "fluffy clouds"]),
        ("a round doughnut and a square napkin.", ["a round doughnut", "a square napkin"]),
        ("a triangular slice of bread and a cylindrical loaf", ["a triangular slice", "bread", "a cylindrical loaf"]),
        ("A black and white cat sits in a white sink.", ["A black and white cat", "a white sink"]),
        ("The leather belt and fluffy hat hang on the hook.", ["The leather belt", "fluffy hat", "the hook"]),
        ("The smooth, cool floors echoed with footsteps.", ["The smooth, cool floors", "footsteps"]),
        ("The metallic watering can hold the flowers.", ["The metallic watering can", "the flowers"]),
        ("a dog in front of a desk", ["a dog", "a desk"]),
        ("The red hat was on top of the brown coat rack.", ["The red hat", "the brown coat rack"]),
        ("The soft pillow was on top of the hard rocking chair.", ["The soft pillow", "the hard rocking chair"]),
        ("a cat on the left of it", ["a cat"]),
        ("", []),
    ],
)
def test_phrases_are_cut_at_words_that_are_in_none(text: str, phrases: list[str]) -> None:
    assert noun_phrases(text) == phrases


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The smooth, cool floors echoed with the fast footsteps.", "The floors echoed with the footsteps."),
        ("The striped black and white cat lay next to the soft blanket.", "The cat lay next to the blanket."),
        ("Two dogs slept.", "Two dogs slept."),
        ("it was", "it was"),
    ],
)
def test_articles_and_last_words_are_left_of_phrases_without_adjectives(text: str, left: str) -> None:
    assert without_adjectives(text) == left
