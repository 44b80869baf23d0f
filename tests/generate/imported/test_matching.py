"""Which prompt an image is of: what is exact goes before what is not, and nothing is guessed."""

import pytest

from diptych.generate.imported.found_images import PlaceReading
from diptych.generate.imported.matching import KnownPrompt, PromptIndex, letters_of

LONG = "an oil painting of an old harbour at dusk with seven boats of which one is on fire"
INDEX = PromptIndex(
    [
        KnownPrompt("00000", "a red boat"),
        KnownPrompt("00001", "a red, boat"),
        KnownPrompt("00002", 'a sign that says "OPEN: 24h"'),
        KnownPrompt("00003", LONG),
        KnownPrompt("00004", "twice"),
        KnownPrompt("00005", "twice"),
        KnownPrompt("a red boat", "of another text"),
        KnownPrompt("caf\u00e9_1", "a small table"),
    ]
)


@pytest.mark.parametrize(
    ("reading", "prompt", "by"),
    [
        (PlaceReading(prompt_id="00001"), 1, "id"),
        (PlaceReading(prompt_id="1"), 1, "id"),
        (PlaceReading(prompt_id="a red boat"), 6, "id"),
        (PlaceReading(prompt_id="cafe\u0301_1"), 7, "id"),
        (PlaceReading(text="a red boat"), 0, "text"),
        (PlaceReading(text="a  red boat\n"), 0, "text"),
        (PlaceReading(text="a_sign_that_says__OPEN__24h_"), 2, "letters"),
        (PlaceReading(text=LONG[:50]), 3, "letters"),
    ],
)
def test_a_prompt_is_found(reading: PlaceReading, prompt: int, by: str) -> None:
    found = INDEX.find([reading])
    assert found is not None
    assert (found.prompt, found.by) == (prompt, by)


@pytest.mark.parametrize("text", ["a-red-boat", "twice", LONG[:20], "", "☃", "7"])
def test_what_could_be_two_prompts_or_none_is_none(text: str) -> None:
    assert INDEX.find([PlaceReading(text=text)]) is None


def test_an_exact_reading_goes_before_an_earlier_one_that_is_not() -> None:
    found = INDEX.find([PlaceReading(text="A sign that says open 24h"), PlaceReading(text="a red, boat", sample=3)])
    assert found is not None
    assert (found.prompt, found.sample, found.by) == (1, 3, "text")


def test_a_name_is_nearly_that_of_one_prompt_alone() -> None:
    assert INDEX.nearest([PlaceReading(text='a sign that sais "OPEN: 24h"')], range(7)) == 2
    assert INDEX.nearest([PlaceReading(text='a sign that sais "OPEN: 24h"')], [0, 1]) is None
    assert INDEX.nearest([PlaceReading(text="a red baot")], range(7)) is None, "two are as near"


def test_words_of_hindi_that_differ_in_their_vowels_alone_are_two_prompts() -> None:
    day, poor = "\u0926\u093f\u0928", "\u0926\u0940\u0928"
    index = PromptIndex([KnownPrompt("1", f"{day}!"), KnownPrompt("2", f"{poor}!")])
    found = [index.find([PlaceReading(text=f"_{word}_")]) for word in (day, poor)]
    assert [one and (one.prompt, one.by) for one in found] == [(0, "letters"), (1, "letters")]


def test_the_sign_that_a_heart_is_drawn_in_colours_is_no_letter() -> None:
    assert letters_of("a \u2764\ufe0f 1\ufe0f\u20e3 cat") == "a1cat"
