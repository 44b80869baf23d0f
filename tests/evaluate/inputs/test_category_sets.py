"""Means over categories: of all of a set of prompts, or of none."""

import dataclasses
from pathlib import Path

import pytest
from evaluate_configs import make_config, read, result_of, run
from tiny_generated import Made, make_generated
from told_scores import install


@pytest.mark.parametrize("benchmark", ["own", "geneval"])
def test_a_mean_over_categories_is_over_all_of_the_set_and_not_of_those_that_a_model_answered(
    benchmark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One model made all, the other two of three categories; of GenEval everybody knows that there are six."""
    install(monkeypatch)
    kinds = ("single_object", "counting", "position")
    rows = [
        Made(model, number, category=kind, benchmark=benchmark)
        for model in ("all", "some")
        for number, kind in enumerate(kinds[: 3 if model == "all" else 2])
    ]
    make_generated(tmp_path / "generated", [dataclasses.replace(row, caption="correct=1") for row in rows])
    config = make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}])
    run({**config, "compare": {}})
    of_all, some = (result_of(tmp_path, "o.object_accuracy", model=name) for name in ("all", "some"))
    (difference,) = read(tmp_path, "SELECT * FROM differences WHERE groups = '{}'")
    assert (some["value"], some["ci_low"], some["n"], some["reason"]) == (None, None, 2, "categories_missing")
    assert (difference["value"], difference["p_value"], difference["reason"]) == (None, None, "categories_missing")
    if benchmark == "own":
        assert of_all["value"] == 1.0
        assert some["note"] == "no image scored of 1 of the 3 categories: position"
    else:
        assert of_all["reason"] == "categories_missing"
        assert of_all["note"] == "no image scored of 3 of the 6 categories: color_attr, colors, two_object"
    for model, count in (("all", 3), ("some", 2)):
        for kind in kinds[:count]:
            assert result_of(tmp_path, "o.object_accuracy", model=model, category=kind)["value"] == 1.0
