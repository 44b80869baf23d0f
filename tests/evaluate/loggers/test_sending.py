"""``evaluate log``: what a tracker has of a run afterwards, read back from where it keeps it."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import made_grid, make_generated
from told_scores import install
from trackers import StandInClient, install_mlflow, install_trackio, read_wandb, read_wandb_table

from diptych.evaluate.loggers.logged_run import logged_run

REPORT = "https://example.org/report/index.html"
LACKING = 6  # numbers without a value: a mean, its difference over all and in two categories, and two shares


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    for name in [*os.environ]:
        if name.startswith(("WANDB_", "MLFLOW_", "TRACKIO_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def evaluated(
    folder: Path, models: tuple[str, ...] = ("alpha", "beta"), *, lacking: str | None = "beta", **changes: Any
) -> Path:
    """Make a store with means, differences, an audit, and a number without a value: nothing of ``lacking`` is told."""
    folder.mkdir(exist_ok=True)
    rows = made_grid(models=models, prompts=6, samples=2)
    told = [f"number={at % 5}.5 hat={('red', 'blue')[at % 2]}" for at in range(len(rows))]
    told = ["" if row.model == lacking else text for row, text in zip(rows, told, strict=True)]
    rows = [dataclasses.replace(row, caption=text) for row, text in zip(rows, told, strict=True)]
    make_generated(folder / "generated", rows)
    scores = {"n": {"score": "told_number"}, "t": {"score": "told_attribute"}, "c": {"score": "caption_stats"}}
    means = [{"score": "number"}, {"score": "c.caption_words"}]
    audit = {"attribute": "t.attribute", "by": ["model"]}
    run(make_config(folder, **{"scores": scores, "means": means, "audit": audit, "compare": {}, **changes}))
    return folder / "store.duckdb"


def expected(folder: Path) -> dict[str, float]:
    """Return the results of a store by key, as somebody would write the keys down."""
    found = {}
    for row in read(folder, "SELECT * FROM results WHERE value IS NOT NULL"):
        cut = [*row["groups"].values(), *row["metric"].split(".")]
        for behind, name in (("", "value"), ("_ci_low", "ci_low"), ("_ci_high", "ci_high"), ("_n", "n")):
            if row[name] is not None:
                found["/".join(cut) + behind] = row[name]
    return found


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """W&B that keeps its runs in a folder, and asks nobody; it reads its variables when it begins, once."""
    folder = tmp_path / "kept"
    folder.mkdir()
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    wandb.teardown()
    yield folder
    wandb.teardown()


def test_wandb_has_each_number_with_interval_n_and_identity_and_no_step(tmp_path: Path, kept: Path) -> None:
    store = evaluated(tmp_path)
    found = call_json("evaluate", "log", store, "--to", "wandb", "--project", "t2i", "--report", REPORT)
    there, logged = read_wandb(kept), logged_run(store)
    numbers = {key: value for key, value in there.summary.items() if key[0] != "_"}
    assert numbers == logged.scalars
    assert expected(tmp_path).items() <= numbers.items()
    assert {"alpha/n/number", "alpha/n/number_ci_low", "alpha/n/number_ci_high", "alpha/n/number_n"} <= numbers.keys()
    assert {"alpha/share/red", "alpha/share/red_ci_low", "alpha/share/red_n"} <= numbers.keys()
    assert {"alpha_minus_beta/c/caption_words", "alpha_minus_beta/c/caption_words_n"} <= numbers.keys()
    assert "alpha_minus_beta/counting/c/caption_words_n" in numbers
    assert not any(key.startswith("beta/n/number") for key in numbers), "it has no value"
    assert (there.run.project, there.run.display_name, there.run.job_type) == ("t2i", "tiny", "evaluation")
    assert list(there.run.tags) == ["diptych"]
    assert REPORT in there.run.notes
    (stored,) = read(tmp_path, "SELECT * FROM runs")
    assert there.config["fingerprint"] == stored["fingerprint"]
    assert there.config["config"] == stored["config"]
    assert there.config["report"] == REPORT
    assert there.config["dataset"] == "generated"
    (mean,) = read(tmp_path, "SELECT * FROM results WHERE metric = 'n.number' AND groups->>'model' = 'alpha'")
    identity = there.config["identity_of"]["alpha/n/number"]
    assert identity == mean["identity_id"]
    assert there.config["identities"][identity]["score"] == {"score": "told_number", "version": 1}
    assert there.kinds.count("history") == 1, "the table alone"
    assert (found["sent"], found["numbers"], found["without_value"]) == (True, len(logged.rows) - LACKING, LACKING)
    assert Path(found["where"]).is_dir()


def test_the_table_in_wandb_has_what_has_no_value_with_its_reason(tmp_path: Path, kept: Path) -> None:
    store = evaluated(tmp_path)
    said = call("evaluate", "log", store, "--to", "wandb")
    assert said.exit_code == 0, said.output
    rows = read_wandb_table(kept)
    assert rows == logged_run(store).rows
    reasons = {row["key"]: row["reason"] for row in rows if row["value"] is None}
    assert reasons["beta/n/number"] == "nothing_scored"
    assert f"{LACKING} numbers without a value: the reasons are in the table of all numbers" in said.stdout


def test_wandb_is_told_nothing_of_this_machine_that_is_about_no_run(tmp_path: Path, kept: Path) -> None:
    call_json("evaluate", "log", evaluated(tmp_path), "--to", "wandb")
    there = read_wandb(kept)
    assert not {"stats", "environment", "output", "output_raw"} & {*there.kinds}
    assert not there.run.HasField("git")
    assert {file.name for file in kept.glob("wandb/offline-run-*/files/*")} <= {"media"}


def test_the_same_run_has_the_same_id_in_wandb_and_another_one_where_a_number_is_another(tmp_path: Path) -> None:
    one, two = (logged_run(evaluated(tmp_path / name)) for name in ("one", "two"))
    assert one.content != two.content, "they are of two folders"
    assert one.content == logged_run(tmp_path / "one" / "store.duckdb").content
    three = dataclasses.replace(one, numbers=[dataclasses.replace(one.numbers[0], n=1), *one.numbers[1:]])
    assert three.content != one.content


def test_runs_of_one_model_each_have_the_same_keys(tmp_path: Path) -> None:
    """So that checkpoints stand in one column of a tracker."""
    runs = [
        logged_run(evaluated(tmp_path / name, (name,), lacking=None, compare=None)) for name in ("step-100", "step-200")
    ]
    assert runs[0].scalars.keys() == runs[1].scalars.keys()
    assert "n/number" in runs[0].scalars
    assert [each.shared["model"] for each in runs] == ["step-100", "step-200"]


def test_one_model_of_a_run_has_its_own_numbers_and_its_differences(tmp_path: Path) -> None:
    store = evaluated(tmp_path, ("alpha", "beta", "gamma"))
    whole, alpha = logged_run(store), logged_run(store, model="alpha")
    assert alpha.shared["model"] == "alpha"
    own = {key: value for key, value in alpha.scalars.items() if "_minus_" not in key}
    assert own == {
        key.removeprefix("alpha/"): value for key, value in whole.scalars.items() if key.startswith("alpha/")
    }
    pairs = {key.partition("/")[0] for key in alpha.scalars if "_minus_" in key}
    assert {"alpha_minus_beta", "alpha_minus_gamma"} <= pairs
    assert not any("beta_minus_gamma" in key for key in alpha.scalars)


@pytest.fixture(params=["stand-in", pytest.param("mlflow", marks=pytest.mark.filterwarnings("ignore"))])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """MLflow over a file in a folder, where it is installed, and a stand-in for it."""
    if request.param == "stand-in":
        return install_mlflow(monkeypatch)()
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return pytest.importorskip("mlflow", reason="needs the extra mlflow").MlflowClient()


def kept_runs(client: Any, experiment: str) -> list[Any]:
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def test_mlflow_has_each_number_as_a_metric_and_each_identity_as_a_param(client: Any, tmp_path: Path) -> None:
    store = evaluated(tmp_path)
    call_json("evaluate", "log", store, "--to", "mlflow", "--project", "t2i", "--name", "first", "--report", REPORT)
    (there,), logged = kept_runs(client, "t2i"), logged_run(store)
    assert there.data.metrics == pytest.approx(logged.scalars, rel=1e-15)
    assert expected(tmp_path).keys() <= there.data.metrics.keys()
    assert (there.info.run_name, there.info.status) == ("first", "FINISHED")
    assert there.data.params["identity/alpha/n/number"] == logged.identity_of["alpha/n/number"]
    assert there.data.params["config.scores.n.score"] == "told_number"
    assert json.loads(there.data.params["config.means"])[0]["score"] == "n.number"
    assert there.data.params["fingerprint"] == logged.fingerprint
    assert there.data.tags["diptych.report"] == REPORT
    assert REPORT in there.data.tags["mlflow.note.content"]
    files = {
        name: json.loads(
            Path(client.download_artifacts(there.info.run_id, name, str(tmp_path))).read_text(encoding="utf-8")
        )
        for name in ("numbers.json", "run.json")
    }
    assert files["numbers.json"]["numbers"] == logged.rows
    assert files["run.json"]["identities"] == logged.identities


def test_mlflow_has_a_run_once_and_another_one_where_a_number_is_another(client: Any, tmp_path: Path) -> None:
    store = evaluated(tmp_path)
    first = call_json("evaluate", "log", store, "--to", "mlflow")
    again = call_json("evaluate", "log", store, "--to", "mlflow")
    assert (first["sent"], again["sent"]) == (True, False)
    assert again["where"] == first["where"]
    assert "tiny is there already, in mlflow" in call("evaluate", "log", store, "--to", "mlflow").stdout
    assert len(kept_runs(client, "diptych")) == 1
    call_json("evaluate", "log", store, "--to", "mlflow", "--model", "alpha")
    assert {each.info.run_name for each in kept_runs(client, "diptych")} == {"tiny", "tiny:alpha"}


def test_what_mlflow_refuses_is_one_line_and_its_run_is_marked(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = evaluated(tmp_path)
    refusal = sys.modules["mlflow.exceptions"].MlflowException if "mlflow.exceptions" in sys.modules else None

    def refuse(*_: object, **__: object) -> None:
        assert refusal is not None
        raise refusal("the server has no room.\nTry again.")

    monkeypatch.setattr(type(client), "log_dict", refuse)
    refused = call("evaluate", "log", store, "--to", "mlflow")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Error: mlflow: the run could not be sent: the server has no room. Try again\n" in refused.stderr
    (there,) = kept_runs(client, "diptych")
    assert there.info.status == "FAILED"
    monkeypatch.undo()


def test_the_project_is_that_of_the_trackers_own_variable_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_mlflow(monkeypatch)
    store = evaluated(tmp_path)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
    call_json("evaluate", "log", store, "--to", "mlflow")
    call_json("evaluate", "log", store, "--to", "mlflow", "--project", "theirs")
    assert [*StandInClient.experiments] == ["ours", "theirs"]


def test_trackio_has_each_number_and_the_table_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trackio, store = install_trackio(monkeypatch), evaluated(tmp_path)
    found = call_json("evaluate", "log", store, "--to", "trackio", "--project", "t2i", "--report", REPORT)
    again = call_json("evaluate", "log", store, "--to", "trackio", "--project", "t2i", "--report", REPORT)
    assert (found["sent"], again["sent"]) == (True, False)
    (there,), logged = trackio.runs, logged_run(store)
    assert (there.project, there.name) == ("t2i", "tiny")
    ((entry),) = there.logs
    assert entry == {**logged.scalars, "numbers": logged.rows}
    assert there.config["identity_of"] == logged.identity_of
    assert there.config["report"] == REPORT


def test_a_run_that_trackio_does_not_have_afterwards_was_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackio, store = install_trackio(monkeypatch), evaluated(tmp_path)
    trackio.is_deaf = True
    refused = call("evaluate", "log", store, "--to", "trackio")
    assert refused.exit_code == 1
    assert "trackio: not all of the run was sent: nothing is there" in refused.stderr


def test_trackio_itself_keeps_the_numbers(tmp_path: Path) -> None:
    if importlib.util.find_spec("trackio") is None:
        pytest.skip("needs the extra trackio")
    store, logged = evaluated(tmp_path), logged_run(tmp_path / "store.duckdb")
    environment = {**os.environ, "TRACKIO_DIR": str(tmp_path / "kept")}
    command = [sys.executable, "-m", "diptych", "evaluate", "log", str(store), "--to", "trackio", "--json"]
    for is_new in (True, False):
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["sent"] is is_new
    read_back = (
        "import json, trackio; from trackio.sqlite_storage import SQLiteStorage as s; "
        "print(json.dumps([[run.name, run.config, s.get_logs('diptych', run.name)] "
        "for run in trackio.Api().runs('diptych')], default=str))"
    )
    told = subprocess.run(
        [sys.executable, "-c", read_back], env=environment, capture_output=True, text=True, check=True
    )
    ((name, config, (entry,)),) = json.loads(told.stdout)
    assert name == "tiny"
    assert config["identity_of"] == logged.identity_of
    assert {key: entry[key] for key in logged.scalars} == logged.scalars
    assert "numbers" in entry


@pytest.mark.parametrize("tracker", ["mlflow", "trackio", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(
    tracker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = evaluated(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == tracker]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(tracker), *sys.meta_path])
    refused = call("evaluate", "log", store, "--to", tracker)
    assert refused.exit_code == 4
    assert f"'{tracker}' is not installed; it comes with: pip install './diptych[{tracker}]'" in refused.stderr


class _Without:
    """Finds no module of a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--run", "tyni"), "unknown run 'tyni'; did you mean 'tiny'?"),
        (("--model", "alhpa"), "--model: unknown model 'alhpa'; did you mean 'alpha'?"),
        (("--report", "my report.html"), "--report: 'my report.html' is no link"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_sent(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_mlflow(monkeypatch)
    refused = call("evaluate", "log", evaluated(tmp_path), "--to", "mlflow", *arguments)
    assert refused.exit_code == 1
    assert says in refused.stderr
    assert not StandInClient.experiments


def test_wandb_that_is_switched_off_is_said_to_keep_nothing(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    refused = call("evaluate", "log", evaluated(tmp_path), "--to", "wandb")
    assert refused.exit_code == 1
    assert "wandb: switched off here, and keeps nothing" in refused.stderr


def test_wandb_is_asked_where_nobody_switched_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where no login is
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    refused = call("evaluate", "log", evaluated(tmp_path / "folder"), "--to", "wandb")
    assert refused.exit_code == 1
    assert "wandb: the run could not be sent: No API key configured" in refused.stderr
