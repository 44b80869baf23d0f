"""What is asked of a tracker, and what it tells."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from diptych.errors import DataError, one_line

PROJECT = "diptych"  # where neither the command nor the tracker's own variable names one
TAG = "diptych"


@dataclass(frozen=True)
class Destination:
    """Where a run goes.

    Attributes:
        name: What it is called there.
        project: The project, or experiment; None takes that of the tracker's own variable, or ``diptych``.
        report: Link to its report; None where there is none.
    """

    name: str
    project: str | None = None
    report: str | None = None

    def project_of(self, variable: str) -> str:
        """Return the project, by the tracker's own variable where none is named."""
        return self.project or os.environ.get(variable) or PROJECT

    @property
    def facts(self) -> dict[str, Any]:
        """What is added to what the numbers are about."""
        return {} if self.report is None else {"report": self.report}

    @property
    def notes(self) -> str:
        """What stands over the run, in Markdown."""
        made = "Numbers of `diptych evaluate`, each with its interval of 95 % and n."
        return made if self.report is None else f"{made}\n\n[Report](<{self.report}>)"


class Sent(NamedTuple):
    """What became of a run.

    Attributes:
        where: An address, a folder or an id by which it is found.
        is_new: Whether it was sent; else it was there with exactly these numbers.
    """

    where: str
    is_new: bool = True


@contextlib.contextmanager
def refusals(tracker: str, *kinds: type[BaseException]) -> Iterator[None]:
    """Keep a tracker's talk off the standard output within the block, and say in one line what it refuses.

    Raises:
        DataError: If the tracker raises one of these, or a file or the network does.
    """
    refused: tuple[type[BaseException], ...] = (*kinds, OSError)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            yield
        except refused as error:
            raise DataError(f"{tracker}: the run could not be sent: {one_line(error)}") from error
