"""``evaluate compare``: the same numbers as the run's, across runs and stores, and no number beside another kind."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_generated
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.evaluate.comparisons.stores import compare_labels
from diptych.store.store import Store


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def say(rows: Sequence[Made], seed: int, shift: float = 0.0) -> list[Made]:
    values = np.random.default_rng(seed).normal(5, 1, len(rows)).round(3)
    return [
        dataclasses.replace(row, caption=f"number={value + shift * (row.model == 'curated')} correct={int(value > 5)}")
        for row, value in zip(rows, values, strict=True)
    ]


def evaluated(folder: Path, rows: Sequence[Made], **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    make_generated(folder / "generated", rows)
    scores = {"n": {"score": "told_number"}, "o": {"score": "told_accuracy"}}
    means = [{"score": "number"}, {"score": "object_correct"}]
    run(make_config(folder, **{"scores": scores, "means": means, "compare": {}, **changes}))
    return folder / "store.duckdb"


def test_the_command_gives_the_numbers_of_the_run(tmp_path: Path) -> None:
    rows = made_grid(models=("curated", "other", "raw"), prompts=6, samples=2, settings=("s1", "s2"))
    store = evaluated(tmp_path, say(rows, 0))
    found = call_json("evaluate", "compare", store, "curated", "raw")
    assert [row["metric"] for row in found["differences"]] == ["n.number", "o.object_accuracy"]
    for row in found["differences"]:
        sql = "SELECT * FROM differences WHERE metric = ? AND a = 'curated' AND b = 'raw' AND groups = '{}'"
        (stored,) = read(tmp_path, sql, (row["metric"],))
        same = ("value", "se", "ci_low", "ci_high", "p_value", "n", "n_clusters", "identity_id", "better")
        for name in same:
            assert row[name] == (pytest.approx(stored[name]) if isinstance(row[name], float) else stored[name]), name
    (turned,) = call_json("evaluate", "compare", store, "raw", "curated", "--metric", "number")["differences"]
    assert turned["value"] == pytest.approx(-found["differences"][0]["value"])
    assert turned["ci_low"] == pytest.approx(-found["differences"][0]["ci_high"])
    p_adjusted = pytest.approx(found["differences"][0]["p_adjusted"], rel=1e-12)
    assert turned["p_adjusted"] == p_adjusted, "however many metrics are looked at"
    assert turned["p_adjusted"] == pytest.approx(turned["p_value"])


def test_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    store = evaluated(tmp_path, say(made_grid(prompts=8, samples=1), 1, shift=9.0))
    lines = call("evaluate", "compare", store, "curated", "raw").stdout.splitlines()
    assert lines[0].startswith("n.number: curated is better than raw (+")
    assert "95 % interval +" in lines[0]
    assert "8 pairs of 8 prompts" in lines[0]
    assert lines[1].startswith("o.object_accuracy: curated and raw cannot be told apart by these images (")


def test_distances_of_two_datasets_are_two_sentences(tmp_path: Path) -> None:
    """The first dataset was taken, and nothing said of which the difference was."""
    for number, name in enumerate(("one", "two")):
        rows = [dataclasses.replace(row, picture=(row.picture or 0) + 500 * number) for row in made_grid(prompts=12)]
        make_generated(tmp_path / name, rows)
    make_generated(tmp_path / "real", [Made("real", 100 + row, picture=2000 + row) for row in range(30)])
    datasets = {name: {"path": str(tmp_path / name), "role": "generated"} for name in ("one", "two")}
    datasets["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    encoders = {"p": {"kind": "projection", "options": {"dim": 6}}}
    distances = [{"metric": "kernel_distance", "encoder": "p", "reference": "real"}]
    run(make_config(tmp_path, datasets=datasets, encoders=encoders, distances=distances, compare={}))
    stored = read(tmp_path, "SELECT * FROM differences ORDER BY dataset")
    assert [row["dataset"] for row in stored] == ["one", "two"]
    for labels, sign in ((("curated", "raw"), 1), (("raw", "curated"), -1)):
        found = call_json("evaluate", "compare", tmp_path / "store.duckdb", *labels)["differences"]
        assert [(row["dataset"], row["value"]) for row in found] == [
            (row["dataset"], pytest.approx(sign * row["value"])) for row in stored
        ]
    lines = call("evaluate", "compare", tmp_path / "store.duckdb", "curated", "raw").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["kernel_distance of one", "kernel_distance of two"]
    make_generated(tmp_path / "two", made_grid(models=("curated",), prompts=12))
    run(make_config(tmp_path, datasets=datasets, encoders=encoders, distances=distances, compare={}))
    (line,) = call("evaluate", "compare", tmp_path / "store.duckdb", "curated", "raw").stdout.splitlines()
    assert line.startswith("kernel_distance of one: "), "the other dataset has but one of them"


def test_a_metric_of_sets_is_asked_for_by_every_name_that_a_config_takes(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("a", "b"), prompts=70, samples=1))
    make_generated(tmp_path / "real", [Made("real", 100 + row, picture=2000 + row) for row in range(70)])
    metrics = ("frechet_distance", "kernel_distance", "precision_recall")
    config = make_config(
        tmp_path,
        encoders={"p": {"kind": "projection", "options": {"dim": 6}}},
        distances=[{"metric": metric, "encoder": "p", "reference": "real"} for metric in metrics],
        compare={},
    )
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run(config)

    def named(name: str) -> list[str]:
        found = call_json("evaluate", "compare", tmp_path / "store.duckdb", "a", "b", "--metric", name)
        return [row["metric"] for row in found["differences"]]

    assert named("fid") == ["corrected_frechet_distance", "frechet_distance"]
    assert named("frechet_distance") == ["frechet_distance"], "what a value is called is that value alone"
    assert named("KID") == named("kernel_distance") == ["kernel_distance"]
    assert named("precision_recall") == named("prdc") == ["precision", "recall"]
    refused = call("evaluate", "compare", tmp_path / "store.duckdb", "a", "b", "--metric", "clip_score")
    assert "--metric: unknown metric 'clip_score'" in refused.output
    refused = call("evaluate", "compare", tmp_path / "store.duckdb", "a", "b", "--metric", "fidd")
    assert "--metric: unknown metric 'fidd'; did you mean 'fid'" in refused.output


def test_two_prompts_that_agree_tell_nothing_apart(tmp_path: Path) -> None:
    rows = made_grid(prompts=2, samples=2)
    told = [
        dataclasses.replace(row, category="counting", caption=f"number=1 correct={int(row.model == 'curated')}")
        for row in rows
    ]
    store = evaluated(tmp_path, told)
    (line,) = call("evaluate", "compare", store, "curated", "raw", "--metric", "object_accuracy").stdout.splitlines()
    assert line.startswith(
        "o.object_accuracy: curated and raw cannot be told apart by these images (+1, 95 % interval -"
    )
    assert "2 prompts, p 0.5; 2 won, 0 tied, 0 lost; nothing tells which difference would be found)" in line


def test_samplers_of_two_sizes_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("euler", "ddim", "--by", "sampler", "--metric", "number")
    grid = say(made_grid(models=("m",), prompts=8, settings=("ddim-9", "euler-9")), 0)
    alike = evaluated(tmp_path / "alike", grid, compare=None)
    (found,) = call_json("evaluate", "compare", alike, *arguments)["differences"]
    assert found["n"] == 16
    record = tiny_generated._record
    side = {"ddim-9": 32, "euler-9": 64}
    monkeypatch.setattr(
        tiny_generated, "_record", lambda row: {**record(row), "width": side[row.setting], "height": side[row.setting]}
    )
    store = evaluated(tmp_path, grid, compare={"by": "sampler"})
    (row,) = read(tmp_path, "SELECT * FROM differences WHERE metric = 'n.number'")
    assert (row["value"], row["n"], row["reason"]) == (None, 0, "no_common_images")
    said = call("evaluate", "compare", store, *arguments).stdout
    assert "euler and ddim cannot be compared: no_common_images" in said


def test_a_label_of_another_column_says_how_to_compare_by_it(tmp_path: Path) -> None:
    grid = say(made_grid(models=("m",), settings=("ddim-9", "euler-9")), 0)
    store = evaluated(tmp_path, grid, compare=None)
    for labels, column in ((("ddim", "euler"), "sampler"), (("ddim-9", "euler-9"), "setting"), (("25", "30"), "steps")):
        refused = call("evaluate", "compare", store, *labels)
        said = f"{labels[0]!r} is a value of {column}, not of model; to compare by it add: --by {column}"
        assert (refused.exit_code, refused.stderr) == (1, f"Error: {store}: {said}\n")
    assert call("evaluate", "compare", store, "ddim", "euler", "--by", "sampler").exit_code == 0


def test_two_stores_and_two_runs(tmp_path: Path) -> None:
    grid = made_grid(models=("sdxl",), prompts=6, samples=1)
    first = evaluated(tmp_path / "one", say(grid, 0), compare=None)
    second = evaluated(tmp_path / "two", say(grid, 1), compare=None)
    (row, _) = call_json("evaluate", "compare", first, "sdxl", "sdxl", "--other", second)["differences"]
    values = [
        np.array(
            [
                each["value"]
                for each in read(
                    tmp_path / name, "SELECT value FROM v_scores WHERE score = 'n.number' ORDER BY prompt_id"
                )
            ]
        )
        for name in ("one", "two")
    ]
    assert row["value"] == pytest.approx(float((values[0] - values[1]).mean()))
    assert (row["n"], row["a"], row["b"]) == (6, "sdxl", "sdxl")
    for other in ((), ("--other", tmp_path / "two" / ".." / first.relative_to(tmp_path))):
        same = call("evaluate", "compare", first, "sdxl", "tiny:sdxl", *other)
        assert (same.exit_code, "sdxl and tiny:sdxl are the same images of run tiny-" in same.output) == (1, True)
    evaluated(tmp_path / "one", say(grid, 0), compare=None, name="again")
    result = call("evaluate", "compare", first, "sdxl", "sdxl")
    assert result.exit_code == 1
    assert "2 runs have model 'sdxl' (again, tiny); write it as RUN:sdxl" in result.output
    (row, _) = call_json("evaluate", "compare", first, "again:sdxl", "tiny:sdxl")["differences"]
    assert (row["value"], row["n"]) == (0.0, 6)


def test_numbers_made_in_two_ways_are_refused(tmp_path: Path) -> None:
    grid = made_grid(models=("sdxl",), prompts=4, samples=1)
    first = evaluated(tmp_path / "one", say(grid, 0), compare=None)
    newer = {"n": {"score": "told_number", "options": {"version": 2}}, "o": {"score": "told_accuracy"}}
    second = evaluated(tmp_path / "two", say(grid, 0), compare=None, scores=newer)
    refused = call("evaluate", "compare", first, "sdxl", "sdxl", "--other", second, "--metric", "number")
    assert refused.exit_code == 1
    why = "made in two ways: score.version is 1 in one and 2 in the other"
    assert refused.output.splitlines() == [f"Error: sdxl and sdxl cannot be compared: n.number: {why}"]
    rest = call_json("evaluate", "compare", first, "sdxl", "sdxl", "--other", second)
    assert [row["metric"] for row in rest["differences"]] == ["o.object_accuracy"]
    assert rest["refused"] == {"n.number": why}
    said = call("evaluate", "compare", first, "sdxl", "sdxl", "--other", second).stdout
    assert "n.number: not compared: made in two ways" in said


def test_a_metric_that_only_one_run_has_is_not_compared(tmp_path: Path) -> None:
    grid = made_grid(models=("sdxl",), prompts=4, samples=1)
    first = evaluated(tmp_path / "one", say(grid, 0), compare=None)
    second = evaluated(tmp_path / "two", say(grid, 0), compare=None, means=[{"score": "number"}])
    found = compare_labels(first, "sdxl", "sdxl", other=second)
    assert set(found.refused) == {"o.object_accuracy"}
    assert "has no o.object_accuracy" in found.refused["o.object_accuracy"]


def test_a_score_under_another_label_is_the_same_number(tmp_path: Path) -> None:
    grid = made_grid(models=("sdxl",), prompts=6, samples=1)
    first = evaluated(tmp_path / "one", say(grid, 0), compare=None)
    renamed = {"length": {"score": "told_number"}, "n": {"score": "told_accuracy"}}
    second = evaluated(tmp_path / "two", say(grid, 1), compare=None, scores=renamed)
    found = compare_labels(first, "sdxl", "sdxl", other=second)
    assert ([row.metric for row in found.rows], dict(found.refused)) == (["n.number", "o.object_accuracy"], {})
    same = evaluated(tmp_path / "three", say(grid, 1), compare=None)
    expected = compare_labels(first, "sdxl", "sdxl", other=same)
    assert [row.value for row in found.rows] == [row.value for row in expected.rows]
    (bare,) = call_json("evaluate", "compare", first, "sdxl", "sdxl", "--other", second, "--metric", "number")[
        "differences"
    ]
    assert bare["value"] == expected.rows[0].value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("curated", "rawer"), "unknown model 'rawer'; did you mean 'raw'"),
        (("curated", "raw", "--metric", "numbers"), "--metric: unknown metric 'numbers'; did you mean 'n.number'"),
        (("curated", "raw", "--by", "colour"), "--by: unknown column 'colour'"),
        (("nobody:raw", "raw"), "unknown model 'nobody:raw'"),
    ],
)
def test_unknown_names_are_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    store = evaluated(tmp_path, say(made_grid(prompts=2, samples=1), 0))
    result = call("evaluate", "compare", store, *arguments)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert message in result.output


def test_a_store_without_a_run_says_so(tmp_path: Path) -> None:
    Store.open(tmp_path / "results.duckdb").close()
    result = call("evaluate", "compare", tmp_path / "results.duckdb", "a", "b")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "results.duckdb: the store holds no run; make one with: diptych evaluate run CONFIG" in result.output


def test_only_datasets_of_which_the_run_took_the_mean_are_compared(tmp_path: Path) -> None:
    make_generated(tmp_path / "more", say(made_grid(prompts=9, samples=1), 3))
    places = {"generated": {"path": str(tmp_path / "generated")}, "more": {"path": str(tmp_path / "more")}}
    means = [{"score": "number", "datasets": ["generated"]}]
    store = evaluated(tmp_path, say(made_grid(prompts=4, samples=1), 0), datasets=places, means=means)
    (row,) = call_json("evaluate", "compare", store, "curated", "raw")["differences"]
    assert (row["n"], row["dataset"]) == (4, "generated")


def test_one_metric_made_in_two_ways_within_a_run_has_two_names_and_is_not_compared(tmp_path: Path) -> None:
    from diptych.store.store import ResultRow

    store = evaluated(tmp_path, say(made_grid(prompts=4, samples=1), 0))
    with Store.open(store) as opened:
        (run_row,) = opened.query("SELECT run_id FROM runs")
        for version, model in ((1, "curated"), (2, "raw")):
            identity = opened.insert_identity({"metric": "frechet_distance", "version": version})
            numbers = (1.0, 0.1, 0.8, 1.2, 9, 0, "", "lower", identity)
            opened.insert_results([ResultRow(run_row["run_id"], "fd", "generated", {"model": model}, *numbers)])
    refused = call("evaluate", "compare", store, "curated", "raw", "--metric", "fd")
    assert "fd: made in two ways: version is 1 in one and 2 in the other" in refused.output
    listed = [line for line in call("evaluate", "results", store).stdout.splitlines() if line.startswith("fd")]
    assert len({line.split("  ")[0] for line in listed}) == 2


def test_settings_can_be_compared_too(tmp_path: Path) -> None:
    store = evaluated(tmp_path, say(made_grid(prompts=4, samples=1, settings=("ddim-9", "euler-9")), 0))
    found = call_json("evaluate", "compare", store, "ddim-9", "euler-9", "--by", "setting", "--metric", "number")
    assert found["differences"][0]["n"] == 8
