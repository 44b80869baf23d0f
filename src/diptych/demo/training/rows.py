"""Training pictures that are drawn once and kept in files; a kind of rows says what is known of each picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from diptych.demo.training.trainer import TrainingSettings
from diptych.errors import ConfigError
from diptych.jobs import run_job
from diptych.jobs.contract import Report
from diptych.jobs.engine import Engine
from diptych.progress import track
from diptych.storage.location import Location

Array = npt.NDArray[Any]

ROWS_PER_FILE = 2048


@dataclass(frozen=True, kw_only=True)
class DrawnTraining(TrainingSettings):
    """What decides the weights of a model that learns from drawn pictures.

    Attributes:
        rows: Pictures in all; they are drawn once.
    """

    rows: int

    def __post_init__(self) -> None:
        """See that there are pictures for a batch.

        Raises:
            ConfigError: If there are not.
        """
        if self.batch > self.rows:
            raise ConfigError(f"batches of {self.batch} need as many pictures; there are {self.rows}")


class RowKind(Protocol):
    """What a row is; picklable."""

    def open(self) -> Callable[[int], Mapping[str, Any]]:
        """Load what drawing needs, once per process, and return what gives the arrays of the row of a seed."""
        ...


class RowFile(NamedTuple):
    """One file of rows, and the seeds of their scenes."""

    path: Path
    seeds: range


@dataclass(frozen=True)
class RowJob:
    """Draws files of rows."""

    kind: RowKind
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[RowFile], None]:
        """Return what draws one file."""
        draw = self.kind.open()

        def write(file: RowFile) -> None:
            rows = []
            for seed in file.seeds:
                rows.append(draw(seed))
                report(1, {})
            arrays: dict[str, Any] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            with Location.at(file.path).publishing() as place:
                np.savez(place, **arrays)

        return write


def kept_rows(folder: Path, kind: RowKind, seeds: range, *, processes: int = 1) -> dict[str, Array]:
    """Return the arrays of the rows of so many seeds; draws those that ``folder`` does not hold yet.

    Args:
        folder: Of rows of this kind, of seeds from this first one on; files of others would be taken for these.
        kind: What a row is.
        seeds: Of the scenes.
        processes: That draw; the rows do not depend on it.
    """
    files = [
        RowFile(folder / f"rows-{number:04d}.npz", seeds[first : first + ROWS_PER_FILE])
        for number, first in enumerate(range(0, len(seeds), ROWS_PER_FILE))
    ]
    missing = [file for file in files if not file.path.is_file()]
    done = len(seeds) - sum(len(file.seeds) for file in missing)
    with track("draw", len(seeds), unit="pictures", done=done) as tracker:
        workers = max(1, min(processes, len(missing)))  # processes cost seconds to start; a single one wins nothing
        for _ in run_job(RowJob(kind), missing, engine=Engine(workers), report=tracker.advance):
            pass
    parts = [np.load(file.path) for file in files]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0].files}
