"""What trackers keep of a run, read back: W&B's own file, and a stand-in for an MLflow that is not installed."""

import json
import re
import struct
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wandb

BLOCK, HEAD, RECORD_HEAD = 32768, 7, 7  # of LevelDB's log, which a .wandb file is behind a head of its own
ENDS = (1, 4)  # kinds of piece with which a record is whole


class KeptWandb(NamedTuple):
    """A run of W&B as its file has it."""

    run: Any
    config: dict[str, Any]
    summary: dict[str, Any]
    kinds: list[str]


def read_wandb(folder: Path) -> KeptWandb:
    """Return the one run that was kept under a folder; W&B is done with it then."""
    wandb.teardown()
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    records = list(_records(file.read_bytes()))
    (run,) = [record.run for record in records if record.WhichOneof("record_type") == "run"]
    summary: dict[str, Any] = {}
    for record in records:
        if record.WhichOneof("record_type") == "summary":
            summary |= {item.key: json.loads(item.value_json) for item in record.summary.update if item.key}
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    return KeptWandb(run, config, summary, [record.WhichOneof("record_type") for record in records])


def read_wandb_table(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the one table that was kept under a folder."""
    (file,) = folder.glob("wandb/offline-run-*/files/media/table/*.table.json")
    table = json.loads(file.read_text(encoding="utf-8"))
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def _records(data: bytes) -> Iterator[Any]:
    from wandb.proto.wandb_internal_pb2 import Record

    at, piece = HEAD, b""
    while at < len(data):
        if BLOCK - at % BLOCK < RECORD_HEAD:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + RECORD_HEAD])
        at += RECORD_HEAD
        piece += data[at : at + length]
        at += length
        if kind in ENDS:
            record = Record()
            record.ParseFromString(piece)
            piece = b""
            yield record


class MlflowException(Exception):
    """What MLflow raises."""


@dataclass
class KeptData:
    """What MLflow has of a run."""

    tags: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


@dataclass
class KeptRun:
    """A run of the stand-in."""

    info: Any
    data: KeptData
    artifacts: dict[str, str] = field(default_factory=dict)


class Metric(NamedTuple):
    key: str
    value: float
    timestamp: int
    step: int


class Param(NamedTuple):
    key: str
    value: str


class StandInClient:
    """The part of MLflow's client that sends runs, with the limits that MLflow has."""

    experiments: dict[str, str] = {}  # noqa: RUF012 -- emptied by ``install_mlflow``
    runs: dict[str, KeptRun] = {}  # noqa: RUF012 -- as above

    def get_experiment_by_name(self, name: str) -> Any:
        known = self.experiments.get(name)
        return None if known is None else types.SimpleNamespace(experiment_id=known)

    def create_experiment(self, name: str) -> str:
        self.experiments[name] = str(len(self.experiments) + 1)
        return self.experiments[name]

    def search_runs(self, experiment_ids: Sequence[str], filter_string: str = "") -> list[KeptRun]:
        wanted = dict(re.findall(r"tags\.`([\w.]+)` = '([^']*)'", filter_string))
        status = re.findall(r"status = '(\w+)'", filter_string)
        return [
            run
            for run in self.runs.values()
            if run.info.experiment_id in experiment_ids
            and wanted.items() <= run.data.tags.items()
            and (not status or run.info.status in status)
        ]

    def create_run(self, experiment_id: str, run_name: str, tags: dict[str, str]) -> KeptRun:
        info = types.SimpleNamespace(
            experiment_id=experiment_id, run_id=f"{len(self.runs):032x}", run_name=run_name, status="RUNNING"
        )
        self.runs[info.run_id] = KeptRun(info, KeptData(dict(tags)))
        return self.runs[info.run_id]

    def log_batch(self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param]) -> None:
        for each in (*metrics, *params):
            if not re.fullmatch(r"[/\w.\- :]+", each.key) or len(each.key) > 250:
                raise MlflowException(f"Invalid name: {each.key!r}.")
            if isinstance(each, Param) and len(each.value) > 6000:
                raise MlflowException("Param value exceeded length")
        assert all(metric.step == 0 for metric in metrics)
        self.runs[run_id].data.metrics |= {metric.key: metric.value for metric in metrics}
        self.runs[run_id].data.params |= {param.key: param.value for param in params}

    def log_dict(self, run_id: str, dictionary: dict[str, Any], artifact_file: str) -> None:
        self.runs[run_id].artifacts[artifact_file] = json.dumps(dictionary)

    def download_artifacts(self, run_id: str, path: str, dst_path: str) -> str:
        file = Path(dst_path) / path
        file.write_text(self.runs[run_id].artifacts[path], encoding="utf-8")
        return str(file)

    def set_terminated(self, run_id: str, status: str) -> None:
        self.runs[run_id].info.status = status


def install_mlflow(monkeypatch: pytest.MonkeyPatch) -> type[StandInClient]:
    """Put the stand-in in the place of MLflow."""
    StandInClient.experiments.clear()
    StandInClient.runs.clear()
    modules = {
        "mlflow": {"MlflowClient": StandInClient, "get_tracking_uri": lambda: "sqlite:///mlflow.db"},
        "mlflow.entities": {"Metric": Metric, "Param": Param},
        "mlflow.exceptions": {"MlflowException": MlflowException},
    }
    for name, members in modules.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return StandInClient


class StandInTrackio:
    """The part of Trackio that sends runs: what is sent is kept in ``runs``."""

    TRACKIO_DIR = Path("stand-in")

    def __init__(self) -> None:
        self.runs: list[Any] = []
        self.is_deaf = False
        self.current: Any = None

    def init(self, *, project: str, name: str, config: dict[str, Any], **quiet: bool) -> Any:
        assert set(quiet) == {"embed", "auto_log_cpu", "auto_log_gpu"}
        assert not any(quiet.values())
        run = types.SimpleNamespace(project=project, name=name, config=json.loads(json.dumps(config)), logs=[])
        self.current = run
        print("* Trackio project initialized")
        return run

    def log(self, metrics: dict[str, Any]) -> None:
        self.current.logs.append(metrics)

    def finish(self) -> None:
        if not self.is_deaf:
            self.runs.append(self.current)
        self.current = None

    def Table(self, columns: list[str], data: list[list[Any]]) -> list[dict[str, Any]]:  # noqa: N802 -- as there
        return [dict(zip(columns, row, strict=True)) for row in data]

    def Api(self) -> Any:  # noqa: N802 -- as there
        return types.SimpleNamespace(runs=self._kept)

    def _kept(self, project: str) -> list[Any]:
        found = [run for run in self.runs if run.project == project]
        if not found:
            raise ValueError(f"Project {project!r} does not exist")
        return found


def install_trackio(monkeypatch: pytest.MonkeyPatch) -> StandInTrackio:
    """Put the stand-in in the place of Trackio."""
    stand_in, module = StandInTrackio(), types.ModuleType("trackio")
    for name in ("TRACKIO_DIR", "init", "log", "finish", "Table", "Api"):
        setattr(module, name, getattr(stand_in, name))
    monkeypatch.setitem(sys.modules, "trackio", module)
    return stand_in
