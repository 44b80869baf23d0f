import pytest

from diptych.scores import SCORES, make_score, takes
from diptych.scores.giving import possible_columns, score_of_column

# Scores that are made of weights, and a column of each.
OF_WEIGHTS = {"hps_v3": "hps_v3", "image_reward": "image_reward", "nsfw_mobilenet": "nsfw_porn"}
OF_NOTHING = [name for name in SCORES if not takes(name, "encoder") and not takes(name, "judge")]


@pytest.mark.parametrize("name", [name for name in OF_NOTHING if name not in OF_WEIGHTS])
def test_what_a_score_may_write_is_known_before_it_is_built(name: str) -> None:
    found = possible_columns(name, {})
    assert found is not None
    assert all(found.may_have(column.name) for column in make_score(name, {}).columns)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("aesthetic", "aesthetic_v1"),
        ("clip_iqa", "clip_iqa_quality"),
        ("hps", "hps_v2_1"),
        ("hps", "caption_truncated"),
        ("answer", "answer_probability"),
        ("asked_attribute", "attribute"),
        ("rating", "rating_sd"),
        *OF_WEIGHTS.items(),
    ],
)
def test_names_that_options_decide_are_taken_for_possible(name: str, column: str) -> None:
    found = possible_columns(name, {})
    assert found is not None
    assert found.may_have(column)
    assert not found.may_have(f"x{column}")


def test_a_probe_has_the_column_that_its_option_names() -> None:
    found = possible_columns("linear_probe", {"column": "cat"})
    assert found is not None
    assert found.names == {"cat"}


def test_of_a_score_in_a_file_of_the_users_own_nothing_is_said(tmp_path: object) -> None:
    assert possible_columns(f"{tmp_path}/mine.py:redness", {}) is None


def test_a_column_leads_to_its_score() -> None:
    assert [score_of_column(name) for name in ("punsafe", "hps_v2", "questions_unanswered", "width")] == [
        *("nsfw", "hps", "question_accuracy", ""),
    ]
