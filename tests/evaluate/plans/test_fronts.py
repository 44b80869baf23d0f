"""``evaluate pareto``: what is dominated, what is on the front, and what is not resolved."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, run
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.data.timings import append_timing

Points = dict[tuple[str, str], tuple[float, float | None]]

# Model and setting -> score and seconds: the second is slower and worse, the fourth no better than the third.
POINTS: Points = {
    ("a", "euler-10"): (5.0, 1.0),
    ("a", "heun-10"): (4.0, 2.0),
    ("b", "euler-10"): (8.0, 3.0),
    ("b", "heun-10"): (8.0, 6.0),
    ("b", "lcm-10"): (8.0, None),
}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def evaluated(folder: Path, points: Points = POINTS) -> tuple[Path, dict[tuple[str, str], float]]:
    """Return a store, and the mean of each point."""
    dice = np.random.default_rng(6)
    taste = dice.normal(0, 3, 12)
    rows, means = [], {}
    for number, ((model, setting), (score, _)) in enumerate(points.items()):
        numbers = [score + taste[prompt] + dice.normal(0, 0.2) for prompt in range(12)]
        means[model, setting] = float(np.mean(numbers))
        made = (Made(model, prompt, 0, setting, picture=number * 100 + prompt) for prompt in range(12))
        rows += [
            dataclasses.replace(row, caption=f"number={each:.4f}") for row, each in zip(made, numbers, strict=True)
        ]
    make_generated(folder / "generated", rows)
    for number, ((model, setting), (_, seconds)) in enumerate(points.items()):
        if seconds is not None:
            part = {"model": model, "setting": setting, "images": 12, "batches": 1, "batch_size": 12}
            note = {"shard": f"{number}.parquet", "settings": [{**part, "seconds": 12 * seconds}], "environments": []}
            append_timing(folder / "generated", note, [])
    run(make_config(folder, scores={"n": {"score": "told_number"}}, means=[{"score": "number", "by": ["model"]}]))
    return folder / "store.duckdb", means


def test_points_are_dominated_on_the_front_or_not_resolved(tmp_path: Path) -> None:
    store, means = evaluated(tmp_path)
    found = call_json("evaluate", "pareto", store, "--metric", "number")
    assert found["better"] == "higher"
    places = {(each["model"], each["setting"]): (each["place"], each["by"]) for each in found["points"]}
    assert places == {
        ("a", "euler-10"): ("front", []),
        ("a", "heun-10"): ("dominated", [["a", "euler-10"]]),
        ("b", "euler-10"): ("front", []),
        ("b", "heun-10"): ("not resolved", [["b", "euler-10"]]),
        ("b", "lcm-10"): ("no time", []),
    }
    for each in found["points"]:
        key = each["model"], each["setting"]
        assert each["value"] == pytest.approx(means[key], abs=1e-3)
        assert each["seconds"] == (None if POINTS[key][1] is None else pytest.approx(POINTS[key][1]))
    assert [each["seconds"] for each in found["points"]] == [1.0, 2.0, 3.0, 6.0, None]


def test_it_is_said_in_a_table(tmp_path: Path) -> None:
    store, _ = evaluated(tmp_path)
    lines = call("evaluate", "pareto", store, "--metric", "number", "--run", "tiny").stdout.splitlines()
    assert lines[0].startswith("n.number")
    assert "higher is better" in lines[0]
    assert lines[1].startswith("a, euler-10  ")
    assert lines[1].endswith("front")
    assert lines[2].endswith("dominated: a euler-10")
    assert lines[5].split()[-2:] == ["no", "time"]
    refused = call("evaluate", "pareto", store, "--metric", "nmber")
    assert "--metric: unknown metric 'nmber'" in refused.output
    refused = call("evaluate", "pareto", store, "--metric", "number", "--run", "tinny")
    assert "unknown run 'tinny'; did you mean 'tiny'" in refused.output


def test_points_whose_names_are_the_same_when_joined_are_two(tmp_path: Path) -> None:
    store, _ = evaluated(
        tmp_path, {("sd", "turbo fast"): (5.0, 1.0), ("sd turbo", "fast"): (8.0, 3.0), ("z", "s"): (4.0, 2.0)}
    )
    found = call_json("evaluate", "pareto", store, "--metric", "number")
    assert [(each["model"], each["setting"], each["place"], each["by"]) for each in found["points"]] == [
        ("sd", "turbo fast", "front", []),
        ("z", "s", "dominated", [["sd", "turbo fast"]]),
        ("sd turbo", "fast", "front", []),
    ]
