"""Which choice a text names, of texts that name none, one or several."""

import pytest

from diptych.judges.answers.choice_in_words import by_text

CASES = [
    (("yes", "no"), "Yes and no.", None),
    (("yes", "no"), "yes or no?", None),
    (("man", "woman"), "man or woman", None),
    (("man", "woman"), "Woman and man, together", None),
    (("one", "two", "three"), "One or two", None),
    (("yes", "no"), "No, wait: yes", None),
    (("red", "blue"), "red/blue", None),
    (("yes", "no"), "1. no", "no"),
    (("one", "two"), "1. two", None),
    (("yes", "no"), "not yes", None),
    (("man", "woman"), "wo man", None),
    (("dog", "cat"), "not a dog", None),
    (("dog", "cat"), "dog, not cat", "dog"),
    (("indoors", "outdoors"), "indoors or outdoors", None),
    (("yes", "no"), "Yes, I see no dog.", "yes"),
    (("yes", "no"), "**No**", "no"),
    (("yes", "no"), "The answer is: yes", "yes"),
    (("two", "three"), "2", "two"),
    (("2", "3"), "There are three.", "3"),
    (("red", "a red car"), "A red car", "a red car"),
    (("yes", "no"), "notable", None),
    (("yes", "no"), "Yes, there is no doubt.", "yes"),
    (("red", "blue"), "Red. The sky is blue.", "red"),
    (("red", "blue"), "red, blue", None),
    (("1", "10", "2", "none"), "No. 1", "1"),
    (("1", "10"), "1.0", "1"),
    (("1", "10"), "10.", "10"),
    (("dog", "hot dog"), "It is a hot dog.", "hot dog"),
    (("no parking", "no", "parking"), "it says no parking", "no parking"),
    (("cannot tell", "man"), "I cannot tell", "cannot tell"),
    (("yes", "no"), "True", "yes"),
    (("yes", "no"), "0", "no"),
    (("yes", "no"), "No: a yes would need two cats", "no"),
    (("yes", "no"), "No, not yes", "no"),
    (("dog", "cat"), "It isn't a dog", None),
    (("dog", "cat"), "It is not a cat but a dog", "dog"),
    (("yes", "no"), "It may be yes, it may be no.", None),
    (("yes", "no"), "Yes (no doubt)", "yes"),
    (("a woman", "a man"), "a woman.", "a woman"),
    (("yes", "no"), "Yes\n\nNo dog is visible.", "yes"),
    (("yes", "no"), "no, yes", None),
    (("yes", "no"), "Yes/No", None),
    (("red", "blue"), "blue, as the red car left", None),
    (("yes", "no"), "", None),
    (("yes", "no"), "I see no cat, so: no", "no"),
]


@pytest.mark.parametrize(("choices", "text", "named"), CASES)
def test_a_text_names_one_choice_or_none(choices: tuple[str, ...], text: str, named: str | None) -> None:
    assert by_text(choices, text) == [float(choice == named) for choice in choices]
