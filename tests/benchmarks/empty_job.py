"""A job that does nothing, in a module of its own, because workers have to import it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from diptych.jobs.contract import Report


@dataclass(frozen=True)
class EmptyJob:
    """Returns its task."""

    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[int], int]:
        """Return the function that returns its task."""
        return int
