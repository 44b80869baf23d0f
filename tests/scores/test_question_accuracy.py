import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pyarrow as pa
import pytest
from drawn import picture
from own_judges import SEEN
from sealed import seal_dataset

from diptych.data.checks import parse_checks
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.errors import ConfigError
from diptych.evaluate.protocols.dsg import DSG, PUBLISHED, WITHOUT_DEPENDENCIES
from diptych.generate.prompts.dsg import dsg
from diptych.judges import make_judge
from diptych.judges.contract import Answer
from diptych.scores import make_score
from diptych.scores.answer_reading import same_words
from diptych.scores.batches import Batch
from diptych.scores.plan import ScorePlan
from diptych.scores.question_rule import QuestionRule, QuestionVerdict, Reach, Unanswered, judge_questions
from diptych.scores.run import score_dataset


def question(name: str, *parents: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "question": f"{name}?", "parents": list(parents), **more}


CHAIN = {"questions": [question("a"), question("b", "a"), question("c", "b")]}


def said(*answers: str) -> list[Answer]:
    """Return answers; one in brackets is a state."""
    return [
        Answer("?", ("yes", "no"), (), "well", text.strip("()"))
        if text.startswith("(")
        else Answer("?", ("yes", "no"), (0.5, 0.5), text)
        for text in answers
    ]


def verdict(
    checks: dict[str, Any], *answers: str, reach: Reach = "parents", unanswered: Unanswered = "left_out"
) -> QuestionVerdict:
    return judge_questions(said(*answers), parse_checks(checks, "here"), QuestionRule(reach, unanswered))


@pytest.mark.parametrize(
    ("reach", "share"), [("none", 2 / 3), ("parents", 1 / 3), ("ancestors", 0.0)], ids=lambda value: str(value)
)
def test_wrong_answer_reaches_as_far_as_the_rule_says(reach: Reach, share: float) -> None:
    assert verdict(CHAIN, "no", "yes", "yes", reach=reach).share == pytest.approx(share)


def test_parent_counts_by_its_own_answer_and_not_by_what_became_of_it() -> None:
    """c hangs on b, which was answered rightly though it counts as wrong: DSG looks one level up."""
    assert verdict(CHAIN, "no", "yes", "yes", reach="parents").share == pytest.approx(1 / 3)


def test_circle_of_questions_ends() -> None:
    circle = {"questions": [question("a", "b"), question("b", "a"), question("c")]}
    assert verdict(circle, "yes", "no", "yes", reach="ancestors").share == pytest.approx(1 / 3)
    assert verdict(circle, "yes", "yes", "yes", reach="ancestors").share == 1.0


def test_question_without_an_answer_is_counted_apart() -> None:
    found = verdict(CHAIN, "(refused)", "yes", "no")
    assert (found.share, found.unanswered, found.first_wrong) == (0.5, 1, "c? expected yes, said no")
    assert found.worst == 0.0, "if a is wrong, so is b"
    as_upstream = verdict(CHAIN, "(refused)", "yes", "no", unanswered="wrong")
    assert as_upstream.share == as_upstream.worst == 0.0


def test_picture_of_which_nothing_was_answered_has_no_share() -> None:
    found = verdict(CHAIN, "(failed)", "(refused)", "(unparsed)")
    assert np.isnan(found.share)
    assert (found.worst, found.unanswered, found.first_wrong) == (0.0, 3, "")


def test_questions_count_by_their_weights() -> None:
    checks = {"questions": [question("a", weight=3.0), question("b"), question("c")]}
    assert verdict(checks, "yes", "no", "no").share == pytest.approx(0.6)


def test_right_answer_may_be_another_than_yes() -> None:
    checks = {"questions": [question("a", choices=["one", "two"], answer="two"), question("b", answer="no")]}
    assert verdict(checks, "two", "yes").share == 0.5
    assert verdict(checks, "Two.", "no").share == 1.0
    assert not same_words("two cats", "two")


@pytest.mark.reference
def test_released_answers_give_the_nine_figures_that_dsg_published(shared: Path) -> None:
    """By answers of PaLI to images of SD 2.1; one item has no answers, and counts as wrong."""
    folder = shared / "benchmarks" / "dsg1k"
    with (folder / "vqa_answers_release" / "pali17b_dsg.csv").open(encoding="utf-8", newline="") as file:
        released = {
            (row["item_id"], row["question_id"]): row["answer"]
            for row in csv.DictReader(file)
            if row["t2i_model"] == "sd2dot1"
        }
    shares: defaultdict[str, list[float]] = defaultdict(list)
    rule = QuestionRule(**{name: DSG.rules["official"].options[name] for name in ("reach", "unanswered")})
    for prompt in dsg(path=folder / "dsg-1k-anns.csv").prompts:
        given = [released.get((prompt.id, one.id), "") for one in prompt.checks.questions]
        answers = [Answer("?", (), (), text, "" if text else "failed") for text in given]
        own = rule.on_its_own() if prompt.id in WITHOUT_DEPENDENCIES else rule
        share = judge_questions(answers, prompt.checks, own).share
        for name in ("all", *prompt.categories):
            shares[name].append(share)
    means = {name: round(float(np.mean(some)), 3) for name, some in shares.items()}
    assert means == PUBLISHED
    assert np.mean(shares["all"]) == pytest.approx(0.8049, abs=5e-5)


# --- as a score ---


@pytest.fixture(autouse=True)
def _own_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def table(*asked: Any) -> pa.Table:
    """Return rows of what is asked; the last has no picture."""
    records = [
        {
            "key": f"{number:06d}",
            "image": None if number == len(asked) - 1 else {"bytes": picture(number, (30, 21)), "path": None},
            "caption": "fish",
            "status": "not_found" if number == len(asked) - 1 else "ok",
            "checks": one if isinstance(one, str | None) else json.dumps(one),
        }
        for number, one in enumerate(asked)
    ]
    return pa.Table.from_pylist(records, schema=data_schema([pa.field("checks", pa.string())]))


def test_row_is_scored_or_has_its_reason() -> None:
    wrong = {"questions": [question("a", answer="no"), question("b")]}
    rows = table(CHAIN, wrong, "", "no checks", {"texts": ["OPEN"]}, CHAIN)
    score = make_score("question_accuracy", {"judge": make_judge("own_answers", {})})
    values = score.score(Batch(rows.to_batches()[0]))
    np.testing.assert_array_equal(values["question_accuracy"], np.float32([1, 0.5, *[np.nan] * 4]))
    np.testing.assert_array_equal(values["questions_unanswered"], np.float32([0, 0, *[np.nan] * 4]))
    assert values["first_wrong_question"].tolist() == ["", "a? expected no, said yes", None, None, None, None]
    assert values["reason"].tolist() == [None, None, "not_asked", "bad_checks", "not_asked", None]
    assert len(SEEN) == 1


def test_another_rule_asks_nobody(tmp_path: Path) -> None:
    rows = table(CHAIN, CHAIN, CHAIN)
    facts = {"kind": "generated", "name": "fish", "licence": "", "made_by": {}}
    seal_dataset(tmp_path, [write_shard(rows, tmp_path / "data" / shard_name(0))], facts)
    for reach in ("parents", "ancestors", "none"):
        plan = ScorePlan(
            {}, {"dsg": ("question_accuracy", {"judge": "eye", "reach": reach})}, judges={"eye": ("own_answers", {})}
        )
        run = score_dataset(tmp_path, plan, progress="none")
        (file,) = run.sets["dsg"].files
        assert read_shard(file)["question_accuracy"].to_pylist() == [1.0, 1.0, None]
        assert read_shard(file)["reason"].to_pylist() == [None, None, "not_found"]
    assert SEEN == [2]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"reach": "cousins"}, "option 'reach'"), ({"unanswered": "right"}, "option 'unanswered'")],
)
def test_rule_that_there_is_not_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_score("question_accuracy", {"judge": make_judge("own_answers", {}), **options})


def test_judge_that_answers_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="judge 'own_boxes' gives no answers; it gives boxes"):
        make_score("question_accuracy", {"judge": make_judge("own_boxes", {})})
