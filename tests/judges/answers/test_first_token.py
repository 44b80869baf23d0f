import pytest
from tiny_vlms import tiny_tokenizer

from diptych.errors import ConfigError
from diptych.judges.answers.first_token import first_tokens, ways_of_writing


class Folding:
    """A tokenizer that tells neither case nor space apart, as CLIP's does not; a number begins with a bare space."""

    def __call__(self, text: str, *, add_special_tokens: bool) -> "Folding":
        word = text.strip().lower()
        self.input_ids = [0, 9] if text.startswith(" ") and word.isdecimal() else [1 + hash_of(word)]
        return self

    def decode(self, ids: list[int]) -> str:
        return " " if ids == [0] else f"<{ids[0]}>"


def hash_of(word: str) -> int:
    return sum(map(ord, word))


@pytest.mark.parametrize(
    ("choice", "ways"),
    [
        ("yes", ["yes", "Yes", " yes", " Yes"]),
        ("No", ["no", "No", " no", " No"]),
        ("4", ["four", "Four", " four", " Four", "4", " 4"]),
        ("NASA", ["NASA", " NASA"]),
        ("iPhone", ["iPhone", "IPhone", " iPhone", " IPhone"]),
        ("11", ["11", " 11"]),
    ],
)
def test_answer_is_written_in_the_ways_of_the_field(choice: str, ways: list[str]) -> None:
    assert ways_of_writing(choice) == ways


def test_token_that_two_ways_share_counts_once_or_officially_twice() -> None:
    yes = 1 + hash_of("yes")
    assert first_tokens(Folding(), ["yes"], "distinct", "judge") == [[yes]]
    assert first_tokens(Folding(), ["yes"], "official", "judge") == [[yes] * 4]


def test_token_that_is_nothing_but_space_is_no_answers_own() -> None:
    distinct, official = (first_tokens(Folding(), ["two"], how, "judge")[0] for how in ("distinct", "official"))  # type: ignore[arg-type]
    assert 0 not in distinct
    assert official[-1] == 0


def test_real_kind_of_tokenizer_tells_case_and_space_apart() -> None:
    tokenizer = tiny_tokenizer()
    (yes, no) = first_tokens(tokenizer, ["yes", "no"], "distinct", "judge")
    assert [tokenizer.decode([one]) for one in yes] == ["yes", "Yes", " yes", " Yes"]
    assert not {*yes} & {*no}


def test_answers_that_begin_with_one_token_are_refused_but_officially_not() -> None:
    with pytest.raises(ConfigError, match=r"judge: 'yes' and 'Yes' begin with one token, .*cannot be told apart"):
        first_tokens(Folding(), ["yes", "Yes"], "distinct", "judge")
    assert len(first_tokens(Folding(), ["yes", "Yes"], "official", "judge")) == 2
