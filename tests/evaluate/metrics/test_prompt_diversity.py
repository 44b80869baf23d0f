from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import make_config, read, run
from tiny_clip import save_clip
from tiny_generated import made_grid, make_generated

from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.prompt_diversity import PROMPT_DIVERSITY, spread_of


def drawn(prompts: int, samples: int, spread: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    dice = np.random.default_rng(seed)
    centres = dice.normal(0, 5, (prompts, 1, 6))
    vectors = centres + dice.normal(0, spread, (prompts, samples, 6))
    return vectors.reshape(-1, 6), [f"p{row // samples}" for row in range(prompts * samples)]


def test_diversity_is_the_mean_over_prompts_of_the_mean_squared_distance_of_two_images() -> None:
    vectors, units = drawn(5, 4, 1.0)
    vectors, units = vectors[:-1], units[:-1]  # one prompt has three
    by_prompt: dict[str, list[np.ndarray]] = {}
    for vector, unit in zip(vectors.astype(np.float32).astype(np.float64), units, strict=True):
        by_prompt.setdefault(unit, []).append(vector)
    means = [np.mean([((a - b) ** 2).sum() for a, b in combinations(own, 2)]) for own in by_prompt.values()]
    result = PROMPT_DIVERSITY.results(KeptVectors.of(vectors, units), None, {})["prompt_diversity"]
    assert result.value == pytest.approx(np.mean(means))
    assert result.se == pytest.approx(np.std(means, ddof=1) / 5**0.5)
    assert result.n == 19


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    """The mean squared distance of two draws is twice the variance, 12 in six dimensions."""
    held = 0
    for seed in range(400):
        result = PROMPT_DIVERSITY.results(KeptVectors.of(*drawn(20, 4, 1.0, seed)), None, {})["prompt_diversity"]
        held += result.ci_low <= 12.0 <= result.ci_high
    assert 0.92 <= held / 400 <= 0.98


def test_prompt_with_one_image_says_nothing() -> None:
    found = spread_of(KeptVectors.of(np.array([[0.0], [2.0], [9.0]]), ["a", "a", "b"]))
    assert (found.values.tolist(), found.prompts.tolist(), found.images.tolist()) == ([4.0], ["a"], [2])
    for units in ([], ["a"], ["a", "b"]):
        result = PROMPT_DIVERSITY.results(KeptVectors.of(np.zeros((len(units), 2)), units), None, {})[
            "prompt_diversity"
        ]
        assert (result.reason, result.n) == ("too_few_images", 0)


def test_one_prompt_has_a_value_without_an_interval() -> None:
    result = PROMPT_DIVERSITY.results(KeptVectors.of(*drawn(1, 3, 1.0)), None, {})["prompt_diversity"]
    assert np.isfinite(result.value)
    assert np.isnan(result.se)
    assert "no interval" in result.note


def test_two_models_are_compared_over_the_prompts_that_both_have(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=3))
    save_clip(tmp_path / "clip")
    config = make_config(
        tmp_path,
        encoders={"clip": {"kind": "open_clip", "options": {"architecture": str(tmp_path / "clip"), "device": "cpu"}}},
        distances=[{"metric": "prompt_diversity", "encoder": "clip"}],
        compare={"by": "model", "baseline": "raw"},
    )
    run(config)
    values = {row["groups"]["model"]: row for row in read(tmp_path, "SELECT * FROM results")}
    assert {model: row["n"] for model, row in values.items()} == {"curated": 18, "raw": 18}
    (row,) = read(tmp_path, "SELECT * FROM differences")
    assert (row["metric"], row["better"]) == ("prompt_diversity", None)
    assert row["value"] == pytest.approx(values["curated"]["value"] - values["raw"]["value"], rel=1e-6)
    assert row["ci_low"] < row["value"] < row["ci_high"]
