"""The commands: what they print, what they leave, what they say when something is wrong."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import call, call_json, make_config, write_config
from tiny_generated import Made, made_grid, make_generated
from told_scores import install


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch)
    rows = [
        Made(
            row.model,
            row.prompt,
            row.sample,
            category=row.category,
            caption=f"number={index % 7} hat=orange class=cook",
        )
        for index, row in enumerate(made_grid(prompts=4, samples=2))
    ]
    rows.append(Made("raw", 9, caption="nothing", picture=None))
    make_generated(tmp_path / "generated", rows)
    scores = {"n": {"score": "told_number"}, "hats": {"score": "told_attribute"}}
    means = [{"score": "number"}]
    return write_config(
        tmp_path, make_config(tmp_path, scores=scores, means=means, compare={"baseline": "raw"}, audit={})
    )


def test_a_run_prints_its_numbers_and_where_they_are(config: Path) -> None:
    result = call("evaluate", "run", config)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["metric", "of"]
    assert "number  curated  2.625 [0, 5.2537]" in result.stdout  # clipped: the column says that 0 is its least
    assert " 8 (1 unscored)" in result.stdout
    assert "curated - raw" in result.stdout
    assert "8 of 8" in result.stdout
    assert lines[-2:] == [
        "Next: diptych init results",
        f"      diptych report build results.yaml --out runs/report --set 'store=\"{config.parent}/store.duckdb\"'",
    ]
    assert "already" not in result.stdout
    assert "scores: all 3 shards were there already" in call("evaluate", "run", config).stdout


def test_a_run_that_scores_nothing_says_nothing_of_scores(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid())
    config = write_config(tmp_path, make_config(tmp_path, scores={}, means=[]))
    assert "scores:" not in call("evaluate", "run", config).stdout


def test_what_is_next_after_a_run_works_as_printed(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config.parent)
    printed = call("evaluate", "run", config).stdout.partition("Next: ")[2]
    for line in printed.splitlines():
        assert call(*shlex.split(line.strip())[1:]).exit_code == 0
    assert (config.parent / "runs/report/index.html").is_file()


def test_a_run_as_json(config: Path) -> None:
    found = call_json("evaluate", "run", config)
    assert found == {
        "run_id": found["run_id"],
        "results": 2,
        "differences": 3,
        "audits": 3,
        "shards_done": 3,
        "shards": 3,
        "warning": "the audit could judge no image in 1 of 3 groups",
        "store": str(config.parent / "store.duckdb"),
    }
    assert found["run_id"].startswith("tiny-")
    assert call_json("evaluate", "run", config)["shards_done"] == 0


def test_a_dry_run_looks_and_does_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a dry run must not look for weights")

    for made in ("make_encoder", "make_judge"):
        monkeypatch.setattr(f"diptych.scores.plan.{made}", refuse)
    estimate = call_json("evaluate", "run", config, "--dry-run")
    assert estimate["datasets"]["generated"]["rows"] == 17
    assert "Nothing was computed" in call("evaluate", "run", config, "--dry-run").stdout
    assert not (config.parent / "store.duckdb").exists()
    assert not (config.parent / "generated/scores").exists()


def test_results_as_a_table_and_as_json(config: Path) -> None:
    assert call("evaluate", "run", config).exit_code == 0
    store = config.parent / "store.duckdb"
    table = call("evaluate", "results", store).stdout
    found = call_json("evaluate", "results", store)
    assert [row["groups"] for row in found["results"]] == [{"model": "curated"}, {"model": "raw"}]
    assert f"{found['results'][0]['value']:.5g}" in table
    assert call_json("evaluate", "results", store, "--run", "tiny") == found
    unknown = call("evaluate", "results", store, "--run", "tinny")
    assert (unknown.exit_code, unknown.output.count("\n")) == (1, 1)
    assert "unknown run 'tinny'; did you mean 'tiny'" in unknown.output


def test_a_value_can_be_overridden(config: Path) -> None:
    other = config.parent / "other.duckdb"
    found = call_json("evaluate", "run", config, "--set", f"store={other}", "--set", "compare=null")
    assert (found["store"], found["differences"]) == (str(other), 0)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"datasets.generated.path": "nowhere"}, "nowhere: not a finished dataset directory"),
        ({"store": "CONFIG"}, "not a DuckDB file"),
        ({"means": "[{score: numbr}]"}, "means.0.score: unknown score column 'numbr'; did you mean"),
        ({"compare.baseline": "rawr"}, "compare.baseline: unknown model 'rawr'; did you mean 'raw'"),
    ],
)
def test_mistakes_are_one_line(overrides: dict[str, str], message: str, config: Path) -> None:
    changes = [f"--set={key}={value.replace('CONFIG', str(config))}" for key, value in overrides.items()]
    result = call("evaluate", "run", config, *changes)
    assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output
    assert message in result.output


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    from diptych.store.store import Store

    Store.open(tmp_path / "store.duckdb").close()
    assert call("evaluate", "results", tmp_path / "store.duckdb").stdout == "The store holds no run.\n"
    missing = call("evaluate", "results", tmp_path / "missing.duckdb")
    assert "no such store; make it with: diptych evaluate run CONFIG" in missing.output


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = [
        Made(f"\x1b[31mred{number}\u202e", prompt, caption=f"number={prompt}")
        for number in range(2)
        for prompt in range(3)
    ]
    make_generated(tmp_path / "generated", rows)
    config: dict[str, Any] = make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}])
    result = call("evaluate", "run", write_config(tmp_path, {**config, "compare": {}}))
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output
    compared = call("evaluate", "compare", tmp_path / "store.duckdb", rows[0].model, rows[3].model)
    assert "\x1b" not in compared.output
    assert json.loads(call("evaluate", "results", tmp_path / "store.duckdb", "--json").stdout)["results"]


def test_a_store_is_not_made_inside_a_dataset(config: Path) -> None:
    place = config.parent / "generated" / "store.duckdb"
    result = call("evaluate", "run", config, "--set", f"store={place}")
    assert result.exit_code == 1
    assert f"Error: {place}: lies inside the dataset {config.parent}/generated; give a place outside" in result.output
    assert not place.exists()


@pytest.mark.parametrize(
    ("words", "alone"), [(("ls",), ()), (("show", "dsg"), ("dsg",)), (("ls", "--json"), ("--json",))]
)
def test_protocols_are_listed_and_shown_by_word_or_without(words: tuple[str, ...], alone: tuple[str, ...]) -> None:
    result = call("evaluate", "protocols", *words)
    assert result.exit_code == 0, result.output
    assert result.output == call("evaluate", "protocols", *alone).output != ""


@pytest.mark.parametrize("words", [("show",), ("show", "dsg", "tifa"), ("ls", "dsg"), ("dsg", "tifa")])
def test_protocols_want_one_name(words: tuple[str, ...]) -> None:
    result = call("evaluate", "protocols", *words)
    assert result.exit_code == 2
    assert f"{' '.join(words)}: say ls, or show and the name of one protocol" in result.output
