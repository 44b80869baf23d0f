"""Shares without the errors of their judge, as a config asks for them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, result_of, run
from pydantic import ValidationError
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.statistics.judge_errors import JudgeCheck, corrected_share

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


@pytest.mark.parametrize("counts", [[101, 100], [0, 0]])
def test_counts_that_cannot_be_are_refused_with_what_they_are(tmp_path: Path, counts: list[Any]) -> None:
    means = [{"score": "a.b", "judge_check": {**CHECK, "right": counts}}]
    with pytest.raises(ValidationError, match="is not so many of at least one, such as"):
        EvaluateConfig.model_validate(make_config(tmp_path, means=means))
