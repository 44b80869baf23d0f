"""What grade WISE makes of a judge's words.

One grade, or three that are weighted (Niu et al. 2025, arXiv:2503.07265).

The verified form asks for ``Score: 0`` or ``Score: 1``; the legacy one for consistency, realism and aesthetic quality
from 0 to 2, of which the number is (0.7 c + 0.2 r + 0.1 a) / 2. The column ``checks`` of a row holds the one question.
Source: ``vllm_eval.py``, ``WISE_legacy/gpt_eval.py`` and ``Calculate.py`` of PKU-YuanGroup/WISE at eb51174. Decides
nothing about who is asked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.data.checks import BAD_CHECKS, Checks
from diptych.judges.contract import UNPARSED, Answer, AnswerJudge
from diptych.judges.evidence import ANSWERS
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.question_accuracy import AskedQuestions, nothing_asked

WiseForm = Literal["verified", "legacy"]
Parser = Literal["upstream", "whole"]

WEIGHTS = {"consistency": 0.7, "realism": 0.2, "aesthetic quality": 0.1}  # of the legacy grades
HIGHEST = {"verified": 1, "legacy": 2}
NAMES = {"verified": ("score",), "legacy": tuple(WEIGHTS)}
COLUMNS = (
    Column(
        "wise_score",
        "WISE's grade of the picture by what the judge says: 0 or 1, or the weighted mean of three from 0 to 2, halved",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
)


@dataclass(frozen=True, eq=False)
class WiseScore(JudgeRule[Answer]):
    """The grade of one judge.

    Attributes:
        look: At its answers.
        form: Which grades are asked for.
        parser: How they are read from its words.
    """

    form: WiseForm
    parser: Parser
    columns: tuple[Column, ...] = COLUMNS

    score_name = "wise_score"
    version = 3

    @property
    def options(self) -> Mapping[str, Any]:
        """Form and parser."""
        return {"form": self.form, "parser": self.parser}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the column, float32 (N,); NaN where nothing is asked, or the judge gave no grade that can be read."""
        values, reasons = np.full(len(batch), np.nan, np.float32), np.full(len(batch), None, object)
        for row, _, (answer,) in self.judged_rows(batch, _not_one_question, reasons):
            grade = None if answer.state else wise_grade(answer.text, self.form, self.parser)
            if grade is None:
                reasons[row] = answer.state or UNPARSED
            else:
                values[row] = grade
        return {COLUMNS[0].name: values, "reason": reasons}


def _not_one_question(checks: Checks) -> str | None:
    return nothing_asked(checks) or (BAD_CHECKS if len(checks.questions) > 1 else None)


def wise_grade(text: str, form: WiseForm, parser: Parser) -> float | None:
    r"""Return the grade that a judge's words give, in [0, 1]; None where they give none that can be read.

    >>> wise_grade("Score: 1", "verified", "upstream"), wise_grade("Score: 0.5", "verified", "whole")
    (1.0, None)
    >>> round(wise_grade("Consistency: 2\nRealism: 1\nAesthetic Quality: 0", "legacy", "whole"), 3)
    0.8

    Args:
        text: What the judge says, without what it thought; or grades that came as numbers, as a JSON object, which
            ``upstream`` counts as its programs count numbers: of one grade 0 and 1 alone, of three whatever they are.
        form: Which grades are asked for.
        parser: ``upstream`` takes the first digit behind a name, whatever stands behind it; ``whole`` takes a number of
            the scale alone, also in bold, and none of a name that stands there with two different ones.
    """
    found = _numbers(text, form, parser)
    if found is None:
        found = _by_upstream(text, form) if parser == "upstream" else _whole(text, form)
    if not set(NAMES[form]) <= set(found):
        return None
    if form == "verified":
        return found["score"]
    return sum(weight * found[name] for name, weight in WEIGHTS.items()) / HIGHEST["legacy"]


def _numbers(said: str, form: WiseForm, parser: Parser) -> dict[str, float] | None:
    """Return the grades that came as numbers; None of words. ``whole`` takes none that is beyond the scale."""
    try:
        given = json.loads(said) if said.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    given = given if isinstance(given, dict) else {}
    told = [given.get(name.replace(" ", "_")) for name in NAMES[form]]
    grades = {name: float(one) for name, one in zip(NAMES[form], told, strict=True) if isinstance(one, int | float)}
    if len(grades) < len(told):
        return None
    if form == "verified":
        return {name: one for name, one in grades.items() if one in (0, 1)}
    is_left_out = parser == "whole" and not all(0 <= one <= HIGHEST[form] for one in grades.values())
    return {} if is_left_out else grades


def _by_upstream(said: str, form: WiseForm) -> dict[str, float]:
    digit = r"([01])\b" if form == "verified" else r"(\d)"
    named = rf"\*{{0,2}}({'|'.join(NAMES[form])})\*{{0,2}}\s*:?\s*{digit}"
    pairs = [(name.lower(), float(grade)) for name, grade in re.findall(named, said, re.IGNORECASE)]
    if pairs:
        return dict(pairs[:1] if form == "verified" else pairs)
    return _bare(said, form)


def _whole(said: str, form: WiseForm) -> dict[str, float]:
    other = rf"\s*(?:or|to|-|/(?!{HIGHEST[form]}\b))\s*\d"  # "0 or 1", "1 / 5": of 2 / 2 it is clear what is meant
    number = rf"(\d++(?:[.,]\d+)?+)(?!{other})"
    named = rf"\b({'|'.join(NAMES[form])})\b[*_\s]*[:\uff1a]?[*_\s]*{number}"
    found: dict[str, set[float]] = {}
    for name, grade in re.findall(named, said, re.IGNORECASE):
        found.setdefault(name.lower(), set()).add(float(grade.replace(",", ".")))
    if not found:
        return _bare(said, form)
    possible = {float(grade) for grade in range(HIGHEST[form] + 1)}
    return {name: min(grades) for name, grades in found.items() if len(grades) == 1 and grades <= possible}


def _bare(said: str, form: WiseForm) -> dict[str, float]:
    """Return grades without their names, each a line of its own, in the order in which they are asked for."""
    lines = [float(one) for one in re.findall(rf"(?m)^\s*([0-{HIGHEST[form]}])\s*$", said)]
    names = NAMES[form]
    is_clear = len(lines) == 1 if form == "verified" else len(lines) >= len(names)
    return dict(zip(names, lines, strict=False)) if is_clear else {}


def wise_score(*, judge: AnswerJudge, form: WiseForm = "verified", parser: Parser = "whole") -> WiseScore:
    """Return the score; loads no model yet.

    Args:
        judge: Answers in its own words.
        form: ``verified`` for one grade of 0 or 1, ``legacy`` for three from 0 to 2.
        parser: ``upstream`` for the first digit behind a name, ``whole`` for a grade that can be nothing else.

    Raises:
        ConfigError: If the judge answers no questions.
    """
    return WiseScore(look_with(judge, ANSWERS, AskedQuestions()), form, parser)
