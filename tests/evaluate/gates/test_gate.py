"""``evaluate gate``: what is not known to be good enough closes the gate, and says why."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import Result
from evaluate_configs import call, make_config, read, run
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.evaluate.gates.criteria import Criterion
from diptych.evaluate.gates.outcomes import GatedNumber, Judging
from diptych.failures import EXIT_CODES, GATE_CLOSED
from diptych.store.store import Store


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def evaluated(folder: Path, name: str, shift: float = 0.0, *, version: int = 1, **changes: Any) -> Path:
    """Put a run of two models into a store; the pictures of all runs are of the same prompts and samples."""
    rows = made_grid(models=("big", "small"), prompts=10, samples=2)
    noise = np.random.default_rng(0).normal(0, 1, len(rows))
    own = np.random.default_rng(1).normal(0, 0.05, len(rows))
    numbers = 10 + noise + (shift + own if shift else 0.0)
    said = [dataclasses.replace(row, caption=f"number={each:.4f}") for row, each in zip(rows, numbers, strict=True)]
    make_generated(folder / name, said)
    datasets = {"generated": {"path": str(folder / name), "role": "generated"}}
    scores = {"n": {"score": "told_number", "options": {"version": version}}}
    means = [{"score": "number", "by": ["model"]}, {"score": "number", "by": ["model", "category"]}]
    run(make_config(folder, **{"name": name, "datasets": datasets, "scores": scores, "means": means, **changes}))
    return folder / "store.duckdb"


def checks(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["checks"]
    return found


def change(store: Path, *statements: str) -> None:
    """Change rows of a store."""
    with Store.open(store) as opened:
        for statement in statements:
            opened._file.execute(statement)


def better(store: Path, way: str) -> None:
    """Say which side of the metric is better."""
    change(store, f"UPDATE results SET better = {way}", f"UPDATE score_columns SET better_for_models = {way}")


@pytest.mark.parametrize(
    ("kind", "bound", "interval", "verdict", "is_accepted"),
    [
        ("min", 1.0, (1.1, 1.3), "passed", (True, True)),
        ("min", 1.1, (1.1, 1.3), "passed", (True, True)),
        ("min", 1.2, (1.1, 1.3), "not resolved", (False, True)),
        ("min", 1.25, (1.1, 1.3), "not resolved", (False, False)),
        ("min", 1.4, (1.1, 1.3), "failed", (False, False)),
        ("max", 1.4, (1.1, 1.3), "passed", (True, True)),
        ("max", 1.2, (1.1, 1.3), "not resolved", (False, True)),
        ("max", 1.15, (1.1, 1.3), "not resolved", (False, False)),
        ("max", 1.0, (1.1, 1.3), "failed", (False, False)),
        ("max-regress", 1.4, (1.1, 1.3), "passed", (True, True)),
        ("min", 1.0, (float("nan"),) * 2, "not resolved", (False, True)),
        ("min", 1.3, (float("nan"),) * 2, "failed", (False, False)),
    ],
)
def test_only_an_interval_on_one_side_of_the_bound_settles(
    kind: Any, bound: float, interval: tuple[float, float], verdict: str, is_accepted: tuple[bool, bool]
) -> None:
    number = GatedNumber(1.2, *interval)
    found = [Judging(allows).of(Criterion(kind, "m", bound), "m", "m", number, bound) for allows in (False, True)]
    assert [each.verdict for each in found] == [verdict, verdict]
    assert tuple(each.is_accepted for each in found) == is_accepted


def test_a_gate_that_is_passed_ends_with_0_and_a_closed_one_with_100(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    passed = call("evaluate", "gate", store, "--min", "number=8", "--max", "n.number=12")
    assert passed.exit_code == 0
    assert passed.stdout.splitlines()[-1] == "4 checks: the gate is passed"
    closed = call("evaluate", "gate", store, "--min", "number=11")
    assert closed.exit_code == GATE_CLOSED == 100
    assert 100 in EXIT_CODES
    assert closed.stdout.startswith("failed: min number=11: n.number of big: 9.")
    assert closed.stdout.splitlines()[-1] == "2 of 2 checks not passed: the gate is closed"


def test_what_is_not_resolved_is_no_pass_unless_that_is_allowed_and_then_it_is_said(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    (row,) = read(tmp_path, 'SELECT * FROM results WHERE groups = \'{"model": "big"}\'')
    bound = f"number={(row['value'] + row['ci_low']) / 2}"
    asked = ("evaluate", "gate", store, "--run", "big", "--min", bound)
    closed = call(*asked)
    assert closed.exit_code == 100
    assert closed.stdout.startswith("not resolved: ")
    assert "holds the bound" in closed.stdout
    allowed = call(*asked, "--allow-unresolved")
    assert allowed.exit_code == 0
    assert allowed.stdout.startswith("not resolved (allowed): ")


def test_what_is_missing_closes_the_gate(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    closed = call("evaluate", "gate", store, "--min", "numbre=1", "--json")
    assert closed.exit_code == 100
    (check,) = checks(closed)
    assert (check["verdict"], check["is_accepted"], check["value"]) == ("missing", False, None)
    assert "did you mean 'number'" in check["reason"] or "n.number" in check["reason"]
    change(store, "UPDATE results SET value = NULL, ci_low = NULL, ci_high = NULL, reason = 'nothing_scored'")
    closed = call("evaluate", "gate", store, "--min", "number=1", "--allow-unresolved")
    assert closed.exit_code == 100
    assert "missing: min number=1: n.number of big: no value: nothing_scored" in closed.stdout


def test_a_regression_is_told_from_pairs_of_images(tmp_path: Path) -> None:
    evaluated(tmp_path, "old")
    store = evaluated(tmp_path, "new", shift=-0.3)
    better(store, "'higher'")
    asked = ("evaluate", "gate", store, "--run", "new", "--against", "old")
    closed = call(*asked, "--max-regress", "number=2%", "--json")
    assert closed.exit_code == 100
    for check in checks(closed):
        assert check["verdict"] == "failed"
        assert check["bound"] == pytest.approx(0.2, abs=0.02)
        assert check["value"] == pytest.approx(0.3, abs=0.05)
        assert check["ci_high"] - check["ci_low"] < 0.1, "what the pairs share cancels"
    assert call(*asked, "--max-regress", "number=5%").exit_code == 0
    assert call(*asked, "--max-regress", "number=0.4").exit_code == 0
    back = ("evaluate", "gate", store, "--run", "old", "--against", "new", "--max-regress", "number=0")
    assert call(*back).exit_code == 0, "it is better"
    better(store, "'lower'")
    assert call(*back).exit_code == 100, "it is worse"


def test_a_model_is_held_against_another_of_the_run(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    better(store, "'higher'")
    found = call("evaluate", "gate", store, "--run", "big", "--against", "small", "--max-regress", "number=9", "--json")
    (check,) = checks(found)
    assert check["of"] == "n.number of big"
    assert check["verdict"] == "passed"


def test_numbers_of_another_identity_or_without_a_better_side_are_not_compared(tmp_path: Path) -> None:
    evaluated(tmp_path, "old")
    store = evaluated(tmp_path, "new", version=2)
    asked = ("evaluate", "gate", store, "--run", "new", "--against", "old", "--max-regress", "number=50%")
    closed = call(*asked, "--allow-unresolved")
    assert closed.exit_code == 100
    assert "not comparable: max-regress number=50%: n.number of big: made in two ways: score.version" in closed.stdout
    better(evaluated(tmp_path, "new", shift=0.1), "NULL")
    closed = call(*asked)
    assert closed.exit_code == 100
    assert "neither way is better by this metric" in closed.stdout


def test_the_same_images_are_worse_by_nothing(tmp_path: Path) -> None:
    evaluated(tmp_path, "old")
    store = evaluated(tmp_path, "new")
    asked = ("evaluate", "gate", store, "--run", "new", "--against", "old", "--max-regress", "number=0", "--json")
    assert [(check["verdict"], check["value"]) for check in checks(call(*asked))] == [("passed", 0.0)] * 2


def test_all_models_are_held_against_the_one_that_is_named(tmp_path: Path) -> None:
    evaluated(tmp_path, "old")
    store = evaluated(tmp_path, "new", shift=1.0)
    better(store, "'higher'")
    asked = (
        "evaluate",
        "gate",
        store,
        "--run",
        "new",
        "--against",
        "old:small",
        "--max-regress",
        "number=5%",
        "--json",
    )
    big, small = checks(call(*asked))
    assert [each["verdict"] for each in (big, small)] == ["passed", "passed"], "both against the one that was named"


def test_files_say_the_same(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    (row,) = read(tmp_path, 'SELECT * FROM results WHERE groups = \'{"model": "big"}\'')
    files = {name: tmp_path / name for name in ("gate.xml", "gate.csv", "gate.json")}
    options = [each for path in files.values() for each in ("--out", path)]
    bounds = ("--min", "number=8", "--max", f"number={(row['value'] + row['ci_high']) / 2}", "--min", "none=1")
    found = call("evaluate", "gate", store, "--run", "big", *bounds, "--allow-unresolved", *options, "--json")
    assert found.exit_code == 100
    assert json.loads(files["gate.json"].read_text()) == json.loads(found.stdout)
    verdicts = [each["verdict"] for each in checks(found)]
    assert sorted(verdicts) == ["missing", "not resolved", "passed"]
    lines = list(csv.DictReader(files["gate.csv"].read_text().splitlines()))
    assert [line["verdict"] for line in lines] == verdicts
    suite = ElementTree.parse(files["gate.xml"]).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    inside = {case[0].tag for case in suite}
    assert inside == {"failure", "skipped", "system-out"}
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "missing"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "a gate without a demand"),
        (("--min", "number"), "--min: 'number' is no bound"),
        (("--min", "number=2%"), "--min: 'number=2%' is no bound"),
        (("--max-regress", "number=-1"), "number from 0, or a share such as 2%"),
        (("--max-regress", "number=1"), "--max-regress needs --against RUN"),
        (("--min", "number=1", "--against", "old"), "--against needs --max-regress"),
        (("--max-regress", "number=1", "--against", "old"), "old cannot be held against itself"),
        (("--min", "number=1", "--run", "odl"), "unknown run or model 'odl'; did you mean 'old'"),
        (("--min", "number=1", "--out", "gate.txt"), "the ending says the form"),
    ],
)
def test_what_cannot_be_asked_ends_with_exit_code_1(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    refused = call("evaluate", "gate", evaluated(tmp_path, "old"), *arguments)
    assert refused.exit_code == 1
    assert says in refused.output


def test_nothing_is_held_against_itself(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    better(store, "'higher'")
    asked = ("evaluate", "gate", store, "--max-regress", "number=9")
    refused = call(*asked, "--run", "big", "--against", "old")
    assert refused.exit_code == 1
    assert "old:big cannot be held against its own run old" in refused.output
    (check,) = checks(call(*asked, "--against", "small", "--json"))
    assert check["of"] == "n.number of big", "the others are held against small, and small against nothing"
    change(store, "DELETE FROM results WHERE groups->>'model' = 'big'")
    alone = call(*asked, "--against", "small")
    assert alone.exit_code == 100
    assert "old has none of it but that of small itself" in alone.stdout


def test_a_number_of_all_models_is_none_of_one_of_them(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old", means=[{"score": "number", "by": []}])
    assert call("evaluate", "gate", store, "--min", "number=8").exit_code == 0
    closed = call("evaluate", "gate", store, "--min", "number=8", "--run", "big")
    assert closed.exit_code == 100
    assert "missing: min number=8: big: old:big has none of it" in closed.stdout
    better(evaluated(tmp_path, "new", shift=-5.0, means=[{"score": "number", "by": []}]), "'higher'")
    closed = call("evaluate", "gate", store, "--run", "new", "--against", "old:big", "--max-regress", "number=1")
    assert closed.exit_code == 100
    assert "old:big has no n.number" in closed.stdout
    change(store, "UPDATE images SET model = 'big'")
    assert call("evaluate", "gate", store, "--min", "number=8", "--run", "old:big").exit_code == 0, "it is its alone"


def test_every_dataset_is_looked_at_however_its_numbers_are_cut(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old")
    change(
        store,
        "INSERT INTO results BY NAME SELECT * REPLACE ('more' AS dataset, '{}' AS groups, 7.0 AS value, 6.0 AS ci_low, "
        '7.5 AS ci_high) FROM results WHERE groups = \'{"model": "big"}\'',
    )
    found = checks(call("evaluate", "gate", store, "--min", "number=8", "--json"))
    assert [(check["of"], check["verdict"]) for check in found] == [
        ("n.number of generated, big", "passed"),
        ("n.number of generated, small", "passed"),
        ("n.number of more", "failed"),
    ]
