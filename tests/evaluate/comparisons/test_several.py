"""``evaluate compare`` of several models: ranks, groups, prompts won, what could be found, equivalence."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import made_grid, make_generated
from told_scores import install

SHIFTS = {"alpha": 0.0, "beta": 0.05, "gamma": 3.0}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def evaluated(folder: Path, name: str = "tiny", seed: int = 0, **changes: Any) -> Path:
    """Make a store of three models, of which one is far better than the others."""
    folder.mkdir(exist_ok=True)
    rows = made_grid(models=tuple(SHIFTS), prompts=8, samples=2)
    dice = np.random.default_rng(seed)
    told = [f"number={dice.normal(5 + SHIFTS[row.model], 1):.3f}" for row in rows]
    rows = [dataclasses.replace(row, caption=text) for row, text in zip(rows, told, strict=True)]
    make_generated(folder / f"generated-{name}", rows)
    datasets = {"generated": {"path": str(folder / f"generated-{name}"), "role": "generated"}}
    config = {"scores": {"n": {"score": "told_number"}}, "means": [{"score": "number", "by": ["model"]}]}
    run(make_config(folder, **{"name": name, "datasets": datasets, **config, "compare": {}, **changes}))
    return folder / "store.duckdb"


def test_three_models_have_ranks_groups_and_the_differences_of_the_run(tmp_path: Path) -> None:
    store = evaluated(tmp_path)
    found = call_json("evaluate", "compare", store)
    assert found["labels"] == ["alpha", "beta", "gamma"]
    assert found == call_json("evaluate", "compare", store, "alpha", "beta", "gamma")
    (ranking,) = found["rankings"]
    assert ranking["labels"][0]["label"] == "gamma"
    assert (ranking["labels"][0]["best"], ranking["labels"][0]["worst"]) == (1, 1)
    assert [set(group) for group in ranking["groups"]] == [{"gamma"}, {"alpha", "beta"}]
    stored = read(tmp_path, "SELECT * FROM differences WHERE groups = '{}' ORDER BY a, b")
    assert len(stored) == 3
    names = ("p_adjusted", "df", "wins", "ties", "losses", "effect", "detectable")
    for row, own in zip(found["differences"], stored, strict=True):
        assert (row["a"], row["b"]) == (own["a"], own["b"])
        assert [row[name] for name in names] == pytest.approx([own[name] for name in names])
        assert row["wins"] + row["ties"] + row["losses"] == row["n_clusters"] == 8
    two = call_json("evaluate", "compare", store, "gamma", "alpha")
    assert "rankings" not in two
    (back,) = two["differences"]
    (there,) = [row for row in stored if (row["a"], row["b"]) == ("alpha", "gamma")]
    assert (back["wins"], back["losses"], back["effect"]) == (there["losses"], there["wins"], -there["effect"])


def test_the_table_names_ranks_and_who_cannot_be_told_apart(tmp_path: Path) -> None:
    lines = call("evaluate", "compare", evaluated(tmp_path)).stdout.splitlines()
    assert lines[0].split() == ["n.number", "rank", "[95", "%]", "group", "won,", "tied,", "lost"]
    assert lines[1].split()[:5] == ["gamma", "1", "[1,", "1]", "a"]
    assert any(line.startswith("b: ") and line.endswith("cannot be told apart from each other.") for line in lines)
    (unresolved,) = [line for line in lines if line.startswith("n.number: alpha and beta cannot be told apart")]
    assert " won, " in unresolved
    assert "; 80 % power from a difference of " in unresolved
    (resolved,) = [line for line in lines if line.startswith("n.number: alpha is ")]
    assert "power" not in resolved
    assert "effect -" in resolved


def test_what_could_be_found_stands_beside_each_that_is_not_resolved(tmp_path: Path) -> None:
    lines = call("evaluate", "results", evaluated(tmp_path)).stdout.splitlines()
    header = next(line for line in lines if line.startswith("difference"))
    at = header.index("not resolved below")
    (alike,) = [line for line in lines if "alpha - beta  " in line]
    (apart,) = [line for line in lines if "alpha - gamma  " in line]
    assert float(alike[at:].split()[0]) > 0.5
    assert apart[at:].strip() == ""


def test_a_margin_tells_what_is_as_good_as_equal(tmp_path: Path) -> None:
    store = evaluated(tmp_path, compare={"margins": {"number": 2.0}})
    (stored,) = read(tmp_path, "SELECT * FROM differences WHERE groups = '{}' AND a = 'alpha' AND b = 'beta'")
    assert stored["margin"] == 2.0
    assert stored["p_equivalence"] < 0.05
    assert "equivalent within 2, p" in call("evaluate", "results", store).stdout
    (row, *_) = call_json("evaluate", "compare", store, "--margin", "number=2")["differences"]
    assert row["p_equivalence"] == pytest.approx(stored["p_equivalence"])
    line = call("evaluate", "compare", store, "alpha", "beta", "--margin", "n.number=0.001").stdout
    assert "not shown to be equivalent within 0.001" in line
    assert "equivalent within 2" in call("evaluate", "compare", store, "alpha", "beta", "--margin", "number=2").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--margin", "number"), "'number' is no margin; write METRIC=D"),
        (("--margin", "number=-1"), "'number=-1' is no margin"),
        (("--margin", "numbr=1"), "--margin: unknown metric 'numbr'; did you mean"),
        (("--margin", "number=1", "--margin", "number=2"), "number has two margins, 1 and 2"),
        (("alpha",), "one model alone is there to compare (alpha)"),
        (("alpha", "beta", "gamma", "--other", "x.duckdb"), "--other: of two labels the second"),
        (("alpha", "beta", "alpha"), "alpha and alpha are the same images"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    refused = call("evaluate", "compare", evaluated(tmp_path), *arguments)
    assert refused.exit_code == 1
    assert says in refused.output


def test_models_of_two_runs_are_ranked_together(tmp_path: Path) -> None:
    evaluated(tmp_path, "one")
    store = evaluated(tmp_path, "two", seed=5)
    assert "the store holds 2 runs (one, two)" in call("evaluate", "compare", store).output
    found = call_json("evaluate", "compare", store, "one:gamma", "two:gamma", "one:alpha")
    assert [each["label"] for each in found["rankings"][0]["labels"]][-1] == "one:alpha"
    assert set(found["labels"]) == {"one:gamma", "two:gamma", "one:alpha"}


def test_the_values_of_an_axis_are_compared_where_all_else_is_equal(tmp_path: Path) -> None:
    settings = tuple(f"{sampler}-9" for sampler in ("ddim", "euler", "heun"))
    rows = made_grid(models=("one", "two"), prompts=6, samples=1, settings=settings)
    dice = np.random.default_rng(8)
    gains = {"ddim": 0.0, "euler": 2.0, "heun": 4.0}
    base = {(row.model, row.prompt): dice.normal(0, 5) for row in rows}
    numbers = [base[row.model, row.prompt] + gains[row.setting[:-2]] + dice.normal(0, 0.1) for row in rows]
    told = [dataclasses.replace(row, caption=f"number={each:.4f}") for row, each in zip(rows, numbers, strict=True)]
    make_generated(tmp_path / "generated", told)
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number", "by": ["sampler"]}]))
    found = call_json("evaluate", "compare", tmp_path / "store.duckdb", "--by", "sampler")
    assert [each["label"] for each in found["rankings"][0]["labels"]] == ["heun", "euler", "ddim"]
    assert [(each["best"], each["worst"]) for each in found["rankings"][0]["labels"]] == [(1, 1), (2, 2), (3, 3)]
    for row in found["differences"]:
        assert row["n"] == 12
        assert row["value"] == pytest.approx(gains[row["a"]] - gains[row["b"]], abs=0.2), "prompts and models cancel"
