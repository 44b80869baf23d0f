"""Where snapshots of a job are shown on stderr: a bar that redraws itself, lines of text or lines of JSON."""

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Protocol

from diptych.errors import ConfigError, MissingExtra
from diptych.lookup import describe_unknown
from diptych.progress.counting import Snapshot
from diptych.progress.wording import format_json, format_line

MODES = ("auto", "rich", "plain", "json", "none")

FIRST_S = 2.0  # nothing is shown before, and no closing line when the whole job took less
EVERY_S = 30.0  # between two lines of the plain and the json display: a day of work stays under 3,000 lines of log
REDRAW_S = 0.25  # between two pictures of the bar


class Display(Protocol):
    """Shows snapshots."""

    every_s: float

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the job is; called every ``every_s`` seconds."""
        ...

    def close(self, snapshot: Snapshot) -> None:
        """Show the end; called once, also where ``show`` never was."""
        ...


class LineDisplay:
    """One line now and then, fit for a log file; no closing line where the job took less than ``quiet_s``."""

    every_s = EVERY_S

    def __init__(self, render: Callable[[Snapshot], str], *, quiet_s: float) -> None:
        """Keep how a snapshot becomes a line."""
        self._render, self._quiet_s = render, quiet_s

    def show(self, snapshot: Snapshot) -> None:
        """Write one line."""
        print(self._render(snapshot), file=sys.stderr, flush=True)

    def close(self, snapshot: Snapshot) -> None:
        """Write the closing line."""
        if snapshot.elapsed_s > self._quiet_s:
            self.show(snapshot)


class RichDisplay:
    """A bar that redraws itself in place; it leaves a plain closing line behind."""

    every_s = REDRAW_S

    def __init__(self) -> None:
        """Prepare the bar; nothing is drawn yet.

        Raises:
            MissingExtra: If rich is not installed.
        """
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column
        except ModuleNotFoundError as error:
            raise MissingExtra("curate", "rich") from error
        self._progress = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1)),  # wraps where it is narrow
            console=Console(stderr=True, force_terminal=True),
            auto_refresh=False,
            transient=True,
            expand=True,
            redirect_stdout=False,  # results must reach stdout, not the console on stderr
        )
        self._task = self._progress.add_task("", total=None)

    def show(self, snapshot: Snapshot) -> None:
        """Draw the bar, for the first time or again."""
        self._progress.start()
        self._progress.update(
            self._task, description=format_line(snapshot), completed=snapshot.done, total=snapshot.total, refresh=True
        )

    def close(self, snapshot: Snapshot) -> None:
        """Take the bar away and write the closing line."""
        self._progress.stop()
        plain_display().close(snapshot)


def plain_display() -> Display:
    """Return the display of mode ``plain``."""
    return LineDisplay(format_line, quiet_s=FIRST_S)


def json_display() -> Display:
    """Return the display of mode ``json``; its reader gets the last object however short the job was."""
    return LineDisplay(format_json, quiet_s=-1.0)


def choose_display(mode: str) -> Display | None:
    """Return the display of a mode, see ``diptych.progress.track``; None for the mode ``none``.

    Raises:
        ConfigError: If the mode is unknown.
        MissingExtra: If it is ``rich`` and rich is not installed.
    """
    if mode not in MODES:
        raise ConfigError(describe_unknown("progress display", mode, MODES))
    if mode == "auto":
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        mode = "rich" if terminal and importlib.util.find_spec("rich") else "plain"
    displays: dict[str, Callable[[], Display]] = {"rich": RichDisplay, "plain": plain_display, "json": json_display}
    return displays[mode]() if mode != "none" else None
