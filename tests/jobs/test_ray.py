"""Jobs on Ray: one cluster for the whole file, of this machine alone, with two GPUs that it pretends to have.

Its start takes seconds: of what needs it only that nobody else reaches it, and that nothing is lost, is tested always.
"""

import importlib.util
import os
import pickle
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from drawn import draw_dataset, draw_folder, picture
from fault_server import FaultServer
from ingested import make_config, write_urls
from local_jobs import (
    Dying,
    DyingOnce,
    Placed,
    Reporting,
    SeveralDyingOnce,
    Sharing,
    Square,
    Unopenable,
    counted,
    is_alive,
)

from diptych.cli import main
from diptych.curate.ingest.run import ingest
from diptych.errors import ConfigError, DataError, DecodeError, MissingExtra
from diptych.jobs.contract import ignore_report
from diptych.jobs.engine import Engine
from diptych.jobs.ray import ray_executor
from diptych.jobs.ray_crew import Patience, RayCrew, Room
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

NOBODY = {"report": ignore_report}


def test_an_address_where_nobody_answers_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="needs the extra ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    told = r"--engine-options address: 127.0.0.1:1: no Ray cluster answers there: \[Errno 111\] Connection refused"
    with pytest.raises(DataError, match=f"^{told}$"):
        list(ray_executor(address="127.0.0.1:1")(Square(tmp_path / "opened"), range(2), workers=2, **NOBODY))


def test_nothing_is_joined_when_there_is_no_task(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra ray")
    run = ray_executor(address="127.0.0.1:1")
    assert list(run(Square(tmp_path / "opened"), [], workers=2, **NOBODY)) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cpus": -1}, "--engine-options cpus: at least 0, got -1"),
        ({"tries": 0}, "--engine-options tries: at least 1, got 0"),
        ({"adress": "auto"}, "--engine-options of ray: unknown option 'adress'; did you mean 'address'"),
        ({"gpus": "two"}, "--engine-options of ray: option 'gpus': .*got 'two'"),
    ],
)
def test_options_that_do_not_fit_are_told_at_once(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{told}"):
        Engine(2, "ray", options).executor()


def test_ray_that_is_not_installed_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'ray' is not installed; it comes with: pip install './diptych\[ray\]'"):
        Engine(2, "ray").executor()


def test_the_cluster_of_this_machine_listens_on_the_loopback_alone(ray_here: Any) -> None:
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    heard = {place.laddr.ip for one in family for place in one.net_connections("inet") if place.status == "LISTEN"}
    assert heard
    assert {ip.removeprefix("::ffff:") for ip in heard} == {"127.0.0.1"}
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_no_other_cluster_is_joined_than_the_one_that_was_asked_for(ray_here: Any, tmp_path: Path) -> None:
    run = ray_executor(address="127.0.0.1:1")(Square(tmp_path / "opened"), range(2), workers=2, **NOBODY)
    with pytest.raises(ConfigError, match="this process has started a Ray cluster of its own, whose token"):
        list(run)
    assert ray_here.is_initialized()


@pytest.mark.slow
def test_two_workers_do_all_tasks_elsewhere_and_open_once_each(ray_here: Any, tmp_path: Path) -> None:
    taken: list[int] = []
    outcomes, ahead = [], []
    for outcome in ray_executor()(Square(tmp_path / "opened", 0.05), counted(60, taken), workers=2, **NOBODY):
        outcomes.append(outcome)
        ahead.append(len(taken) - len(outcomes))
    assert sorted(outcome[:2] for outcome in outcomes) == [(task, task * task) for task in range(60)]
    processes = {outcome[2] for outcome in outcomes}
    assert sorted(map(int, (tmp_path / "opened").read_text().split())) == sorted(processes)
    assert os.getpid() not in processes
    assert max(ahead) <= 2, "no more tasks are taken than there are workers"


@pytest.mark.slow
def test_each_worker_has_its_gpu_its_processors_and_as_many_threads_as_here(ray_here: Any, tmp_path: Path) -> None:
    job = Placed(tmp_path / "opened", True, ("CUDA_VISIBLE_DEVICES", "DIPTYCH_CPUS", "OMP_NUM_THREADS"))
    parts = list(ray_executor()(job, [2, 2], workers=None, **NOBODY))
    assert sorted(parts) == [("0", "2", None), ("1", "2", None)], "one per GPU, and half of four processors"


@pytest.mark.slow
def test_more_workers_than_gpus_share_them(ray_here: Any, tmp_path: Path) -> None:
    parts = list(ray_executor()(Placed(tmp_path / "opened", True), [3, 3, 3], workers=3, **NOBODY))
    assert Counter(visible for visible, _ in parts) in (Counter("001"), Counter("011"))


@pytest.mark.slow
def test_reports_arrive_before_the_outcome_and_are_counted_once(ray_here: Any) -> None:
    seen: Counter[str] = Counter()

    def note(count: int, reasons: Mapping[str, int]) -> None:
        seen.update(rows=count, **reasons)

    for task in ray_executor()(Reporting(50), range(6), workers=2, report=note):
        assert seen[f"task {task}"] == 50
    assert seen["rows"] == 300


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "code"),
    [
        pytest.param(Unopenable(), "unsupported", id="of opening"),
        pytest.param(Square(Path(os.devnull)), "corrupt", id="of a task"),
    ],
)
def test_an_exception_ends_the_run_as_it_was_raised(ray_here: Any, job: Any, code: str) -> None:
    with pytest.raises(DecodeError) as caught:
        list(ray_executor()(job, [-1], workers=1, **NOBODY))
    assert caught.value.code == code
    assert "In a worker of Ray" in caught.value.__notes__[0]


def test_a_killed_worker_costs_its_task_which_is_done_again(
    ray_here: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows: list[int] = []
    outcomes = ray_executor()(
        DyingOnce(tmp_path / "begun"), range(4), workers=2, report=lambda count, _: rows.append(count)
    )
    assert sorted(outcomes) == [0, 1, 2, 3]
    assert Counter((tmp_path / "begun").read_text().split()) == {"0": 1, "1": 2, "2": 1, "3": 1}
    assert sum(rows) == 40, "what the killed one had reported is taken back"
    assert -10 in rows
    assert capfd.readouterr() == ("", "")


def test_a_killed_worker_costs_all_that_it_had_in_hand_and_nothing_else(ray_here: Any, tmp_path: Path) -> None:
    rows: list[int] = []
    outcomes = ray_executor()(
        SeveralDyingOnce(tmp_path / "begun"), range(6), workers=1, report=lambda count, _: rows.append(count)
    )
    assert sorted(outcomes) == list(range(6))
    begun = Counter((tmp_path / "begun").read_text().split())
    assert begun == {"0": 2, "1": 2, "2": 1, "3": 1, "4": 1, "5": 1}
    assert sum(rows) == 60, "what both had reported is taken back"
    assert rows.count(-10) == 2


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_has_as_many_tasks_in_hand_as_the_job_says(ray_here: Any, tmp_path: Path, workers: int) -> None:
    heard: Counter[str] = Counter()
    taken: list[int] = []
    outcomes, ahead = [], []
    for outcome in ray_executor()(
        Sharing(tmp_path / "closed"),
        counted(12, taken),
        workers=workers,
        report=lambda _, reasons: heard.update(reasons),
    ):
        outcomes.append(outcome)
        ahead.append(len(taken) - len(outcomes))
    assert sorted(task for task, _ in outcomes) == list(range(12))
    assert len({process for _, process in outcomes}) <= workers, "the second may begin late"
    assert heard.total() == 12
    assert heard["together"] >= 3
    assert max(ahead) <= 3 * workers


@pytest.mark.slow
def test_pictures_at_urls_are_the_same_byte_for_byte(ray_here: Any, tmp_path: Path) -> None:
    bodies = {f"/{row}.jpg": picture(row) for row in range(12)}
    with FaultServer(bodies) as server:
        urls = [f"http://127.0.0.1:{server.port}{path}" for path in bodies]
        write_urls(tmp_path / "urls.parquet", urls)
        config = make_config(
            {"kind": "url_table", "path": tmp_path / "urls.parquet"},
            rows_per_shard=2,
            download={"allow_private_addresses": True, "threads": 4},
        )
        made = [
            ingest(config, tmp_path / engine.name, engine=engine, progress="none").dataset
            for engine in (Engine(), Engine(2, "ray"))
        ]
    assert made[0].shards == made[1].shards
    assert len(made[0].shards) == 6


@pytest.mark.slow
def test_a_worker_that_ends_each_time_ends_the_run(ray_here: Any) -> None:
    told = "^a worker of Ray ended 2 times in the same task, as a library .*; what is finished is kept: run again with"
    with pytest.raises(DataError, match=told):
        list(ray_executor(tries=2)(Dying("exit"), range(1), workers=1, **NOBODY))


@pytest.mark.slow
def test_a_killed_actor_is_made_anew(ray_here: Any, tmp_path: Path) -> None:
    job = pickle.dumps(Square(tmp_path / "opened", 0.3))
    crew = RayCrew(ray_here, job, Room(2, 0.0, 0.0, 1), Patience(2, 60.0), ignore_report)
    outcomes = []
    for outcome in crew.run(iter(range(8))):
        outcomes.append(outcome)
        if len(outcomes) == 2:
            for hand in crew._hands:
                ray_here.kill(hand.actor)
    crew.end()
    assert sorted(outcome[0] for outcome in outcomes) == list(range(8))


@pytest.mark.slow
def test_a_run_that_is_left_early_leaves_no_worker(ray_here: Any, tmp_path: Path) -> None:
    outcomes = ray_executor()(Square(tmp_path / "opened"), range(10**9), workers=1, **NOBODY)
    process = next(outcomes)[2]
    assert is_alive(process)
    outcomes.close()  # type: ignore[attr-defined]
    psutil.wait_procs([psutil.Process(process)] if psutil.pid_exists(process) else [], timeout=30)
    assert not is_alive(process)


@pytest.mark.slow
def test_a_cluster_without_room_is_waited_for_so_long_and_then_told(ray_here: Any, tmp_path: Path) -> None:
    told = (
        "gave no worker within 1 s: each asks for 0 CPUs and 3 GPUs, and it has 4 and 2 in all; give --engine-options"
    )
    with pytest.raises(DataError, match=told):
        list(ray_executor(gpus=3, wait_s=1)(Square(tmp_path / "opened"), range(2), workers=1, **NOBODY))


@pytest.mark.slow
def test_a_pool_is_the_same_byte_for_byte(ray_here: Any, tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", 6)
    config = make_config({"kind": "folder", "path": tmp_path / "in"}, rows_per_shard=2)
    made = [
        ingest(config, tmp_path / engine.name, engine=engine, progress="none").dataset
        for engine in (Engine(), Engine(2, "ray"))
    ]
    assert made[0].shards == made[1].shards


@pytest.mark.slow
def test_scores_and_vectors_are_the_same_byte_for_byte(ray_here: Any, tmp_path: Path) -> None:
    plan = ScorePlan(
        {"small": ("projection", {"dim": 8})},
        {"stats": ("image_stats", {}), "fit": ("clip_similarity", {"encoder": "small"})},
    )
    for name, engine in (("here", Engine()), ("there", Engine(2, "ray"))):
        draw_dataset(tmp_path / name, 9, 3, failed=(4,))
        assert score_dataset(tmp_path / name, plan, engine=engine, progress="none").shards_done == 3
    here, there = (set_files(tmp_path / name) for name in ("here", "there"))
    assert here == there
    assert len(here) == 3 * 4, "of three sets three shards and the journal"


def set_files(dataset: Path) -> dict[str, bytes]:
    """Return the files of column sets but their manifests, which say when they were made."""
    files = (path for folder in ("embeddings", "scores") for path in sorted((dataset / folder).rglob("*")))
    found = {path.relative_to(dataset).as_posix(): path for path in files if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith(".json")}


@pytest.mark.slow
def test_the_command_line_takes_the_engine_with_its_options(ray_here: Any, tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", 4, 2)
    engine = ["--engine", "ray", "--engine-options", "tries=2", "--workers", "1"]
    done = CliRunner().invoke(main, ["--progress", "none", "score", str(tmp_path / "set"), "image_stats", *engine])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("image_stats: ")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--engine", "ray", "--engine-options", "tries"], "--engine-options 'tries': write KEY=VALUE"),
        (["--engine-options", "cpus=2"], "--engine-options of local: unknown option 'cpus'; there is none"),
    ],
)
def test_wrong_options_of_an_engine_are_told_in_one_line(options: list[str], told: str, tmp_path: Path) -> None:
    draw_dataset(tmp_path / "set", 1)
    done = CliRunner().invoke(main, ["score", str(tmp_path / "set"), "image_stats", *options])
    assert done.exit_code == 1
    assert done.stderr == f"Error: {told}\n"
