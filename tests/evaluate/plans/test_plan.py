"""``evaluate plan``: from a pilot in a store to prompts and images."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, run
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.data.timings import TIMINGS, append_timing
from diptych.evaluate.plans.sizes import Wanted, prompts_needed, samples_needed
from diptych.evaluate.statistics.variances import two_levels


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def pilot(folder: Path, samples: int = 3, name: str = "tiny") -> tuple[Path, np.ndarray, np.ndarray]:
    """Return a store, and the differences of its pairs with their prompts."""
    rows = made_grid(models=("a", "b"), prompts=10, samples=samples)
    dice = np.random.default_rng(4)
    taste = {(model, prompt): dice.normal(0, 1) for model in "ab" for prompt in range(10)}
    numbers = np.array([5 + taste[row.model, row.prompt] + dice.normal(0, 0.5) for row in rows]).round(4)
    said = [dataclasses.replace(row, caption=f"number={each:.4f}") for row, each in zip(rows, numbers, strict=True)]
    make_generated(folder / name, said)
    means = [{"score": "number", "by": ["model"]}]
    datasets = {"generated": {"path": str(folder / name), "role": "generated"}}
    config = make_config(folder, name=name, datasets=datasets, scores={"n": {"score": "told_number"}}, means=means)
    run(config)
    half = len(rows) // 2
    return folder / "store.duckdb", numbers[:half] - numbers[half:], np.array([row.prompt for row in rows[:half]])


def test_a_plan_follows_from_the_variances_of_the_pilot(tmp_path: Path) -> None:
    store, gaps, prompts = pilot(tmp_path)
    (found,) = call_json("evaluate", "plan", store, "a", "b", "--metric", "number", "--difference", 0.4, "--power", 0.9)
    expected = two_levels(gaps, prompts)
    assert found["pilot"]["between"] == pytest.approx(expected.between, rel=1e-4)
    assert found["pilot"]["within"] == pytest.approx(expected.within, rel=1e-4)
    assert found["pilot"]["icc"] == pytest.approx(expected.icc, rel=1e-4)
    wanted = Wanted(0.4, 0.9)
    for size in found["sizes"]:
        own = prompts_needed(wanted, expected, size["samples"])
        assert own is not None
        assert abs(size["prompts"] - own.prompts) <= 1
        assert size["images"] == size["prompts"] * size["samples"]
        assert size["seconds"] is None
    assert found["cheapest"] == found["sizes"][0], "one image a prompt is the cheapest where prompts cost nothing"
    assert (found["with_prompts"] is None) == (samples_needed(wanted, expected, 10) is None)
    assert call_json("evaluate", "plan", store, "--metric", "n.number", "--difference", 0.4, "--power", 0.9) == [found]


def test_seconds_are_those_that_the_datasets_note(tmp_path: Path) -> None:
    store, *_ = pilot(tmp_path)
    for model, seconds in (("a", 2.0), ("b", 4.0)):
        part = {"model": model, "setting": "s1", "images": 10, "batches": 1, "batch_size": 10, "seconds": 10 * seconds}
        append_timing(tmp_path / "tiny", {"shard": f"{model}.parquet", "settings": [part], "environments": []}, [])
    assert (tmp_path / "tiny" / TIMINGS).is_file()
    (found,) = call_json("evaluate", "plan", store, "--metric", "number", "--difference", 0.5)
    for size in found["sizes"]:
        assert size["seconds"] == pytest.approx(6.0 * size["images"])
    lines = call("evaluate", "plan", store, "--metric", "number", "--difference", 0.5).stdout.splitlines()
    assert lines[0].startswith("n.number: pilot of a and b, 30 pairs of 10 prompts: variance of the difference ")
    assert "ICC 0." in lines[0]
    assert lines[1] == "To find a difference of 0.5 with a power of 80%:"
    assert lines[2].split("  ")[-1].strip() == "seconds for both"
    assert lines[-2].startswith("Cheapest: ")
    assert lines[-1].startswith("With the 10 prompts of the pilot ")


def test_one_pair_a_prompt_does_not_tell_what_more_images_would_do(tmp_path: Path) -> None:
    store, gaps, _ = pilot(tmp_path, samples=1)
    (found,) = call_json("evaluate", "plan", store, "--metric", "number", "--difference", 0.5)
    assert found["pilot"]["icc"] is None
    assert found["pilot"]["variance"] == pytest.approx(gaps.var(ddof=1), rel=1e-4)
    assert [size["samples"] for size in found["sizes"]] == [1]
    said = call("evaluate", "plan", store, "--metric", "number", "--difference", 0.5).stdout
    assert "nothing tells what more images of a prompt would do" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--difference", "0"), "--difference: 0 is no difference"),
        (("--difference", "1", "--power", "1"), "--power: 1 is no power"),
        (("a", "b", "a", "--difference", "1"), "a plan is for two models, not 3"),
        (("a", "c", "--difference", "1"), "unknown model 'c'"),
        (("a", "a", "--difference", "1"), "a and a are the same images"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    store, *_ = pilot(tmp_path)
    refused = call("evaluate", "plan", store, *arguments, "--metric", "number")
    assert refused.exit_code == 1
    assert says in refused.output
    refused = call("evaluate", "plan", store, "--metric", "nmber", "--difference", 1)
    assert "--metric: unknown metric 'nmber'; did you mean" in refused.output


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (0, "a pilot of 4 prompts with numbers of both whose differences are all the same tells of no spread"),
        (100, "a pilot of 0 prompts with numbers of both has no spread; make one of the same prompts"),
    ],
)
@pytest.mark.parametrize("samples", [1, 2])
def test_a_pilot_without_a_spread_plans_nothing(later: int, says: str, samples: int, tmp_path: Path) -> None:
    rows = made_grid(models=("a", "b"), prompts=4, samples=samples)
    half = len(rows) // 2
    numbers = [0.3 * (number % half) + 0.1 * (number >= half) for number in range(len(rows))]
    said = [
        dataclasses.replace(row, caption=f"number={each}", prompt=row.prompt + later * (row.model == "b"))
        for row, each in zip(rows, numbers, strict=True)
    ]
    make_generated(tmp_path / "generated", said)
    means = [{"score": "number", "by": ["model"]}]
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=means))
    refused = call("evaluate", "plan", tmp_path / "store.duckdb", "--metric", "number", "--difference", 1)
    assert refused.exit_code == 1
    assert says in refused.output
