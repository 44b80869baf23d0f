"""Shares without the errors of their judge, as a config asks for them."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import make_config, result_of, run
from pydantic import ValidationError
from scipy.optimize import brentq
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.statistics.judge_errors import JudgeCheck, corrected_share
from diptych.intervals import wilson_ends

CHECK = {"right": [95, 100], "wrong": [80, 100]}


def test_a_share_stands_twice_and_what_is_none_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = made_grid(prompts=10, samples=1)
    told = [replace(row, caption=f"passes={int(row.prompt < 7)} number={row.prompt}") for row in rows]
    make_generated(tmp_path / "generated", told)
    scores = {"n": {"score": "told_flag"}, "m": {"score": "told_number"}}
    chance = {"right": [50, 100], "wrong": [50, 100]}
    means = [
        {"score": "passes", "judge_check": CHECK},
        {"score": "passes", "by": [], "judge_check": chance},
        {"score": "number", "judge_check": CHECK},
    ]
    run(make_config(tmp_path, scores=scores, means=means))
    assert result_of(tmp_path, "n.passes", model="raw")["value"] == pytest.approx(0.7)
    found = result_of(tmp_path, "n.passes_judge_corrected", model="raw")
    expected = corrected_share(0.7, 10.0, JudgeCheck(95, 100, 80, 100))
    assert (found["value"], found["ci_low"], found["ci_high"]) == pytest.approx(expected[:3])
    assert (found["n"], found["n_unscored"], found["reason"]) == (10, 0, None)
    at_chance = result_of(tmp_path, "n.passes_judge_corrected")
    assert (at_chance["value"], at_chance["ci_low"], at_chance["reason"]) == (None, None, "judge_at_chance")
    assert result_of(tmp_path, "m.number_judge_corrected", model="raw")["reason"] == "not_a_share"


def test_mean_of_categories_is_corrected_as_what_it_is_and_so_is_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 12 images of one category 10 are right, of 4 of the other 1 is: 0.5417 of the categories, 0.6875 of images."""
    install(monkeypatch)
    right = {"single_object": 10, "counting": 1}
    made = [
        Made("raw", number, category=category, caption=f"correct={int(place < right[category])}", picture=number)
        for number, (category, place) in enumerate(
            [*product(["single_object"], range(12)), *product(["counting"], range(4))]
        )
    ]
    make_generated(tmp_path / "generated", made)
    means = [{"score": "object_correct", "judge_check": CHECK}]
    run(make_config(tmp_path, scores={"n": {"score": "told_accuracy"}}, means=means))
    check = JudgeCheck(95, 100, 80, 100)
    for groups, share in (({}, (10 / 12 + 1 / 4) / 2), ({"category": "counting"}, 1 / 4)):
        mean = result_of(tmp_path, "n.object_accuracy", model="raw", **groups)
        found = result_of(tmp_path, "n.object_accuracy_judge_corrected", model="raw", **groups)
        assert mean["value"] == pytest.approx(share)
        assert found["value"] == pytest.approx((share + 0.8 - 1.0) / 0.75)
        ends = corrected_share(share, found_number(mean), check)
        assert (found["ci_low"], found["ci_high"]) == (pytest.approx(ends.ci_low), pytest.approx(ends.ci_high))
        assert (found["n"], found["reason"]) == (mean["n"], None)


def found_number(mean: dict[str, Any]) -> float:
    """Return of how many images Wilson's interval is as wide as that of a mean, by halving."""
    return float(brentq(lambda n: np.ptp(wilson_ends(mean["value"], n)) - (mean["ci_high"] - mean["ci_low"]), 0.1, 1e4))


@pytest.mark.parametrize("counts", [[101, 100], [0, 0]])
def test_counts_that_cannot_be_are_refused_with_what_they_are(tmp_path: Path, counts: list[Any]) -> None:
    means = [{"score": "a.b", "judge_check": {**CHECK, "right": counts}}]
    with pytest.raises(ValidationError, match=r"is more than there are|greater than or equal to 1"):
        EvaluateConfig.model_validate(make_config(tmp_path, means=means))
