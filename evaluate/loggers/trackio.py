"""Trackio: numbers as the one entry of a run, with a table of all of them.

``TRACKIO_DIR``, ``TRACKIO_SPACE_ID`` and ``TRACKIO_SERVER_URL`` say what they say everywhere.
"""

import os
import sqlite3
import warnings
from contextlib import suppress
from typing import Any

from diptych.errors import DataError
from diptych.evaluate.loggers.contract import PROJECT, Destination, Sent, refusals
from diptych.evaluate.loggers.keys import TAKEN
from diptych.evaluate.loggers.logged_run import LoggedRun
from diptych.lookup import naming_extras

CONTENT = "content"  # in the config of a run: the sha256 of what was sent
ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")  # what says that runs are not kept here


def send(logged: LoggedRun, to: Destination) -> Sent:
    """Send a run; one that is on this machine already, with exactly these numbers, is left there.

    Raises:
        MissingExtra: If the library is not installed.
        DataError: If it refuses, or does not have the run afterwards.
    """
    with naming_extras():
        import trackio
    project = to.project or PROJECT
    elsewhere = next((os.environ[name] for name in ELSEWHERE if os.environ.get(name)), None)
    where = f"project {project} in {elsewhere or trackio.TRACKIO_DIR}"
    with refusals("trackio", ValueError, RuntimeError, sqlite3.Error), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if elsewhere is None and _has(trackio.Api(), project, logged.content):
            return Sent(where, is_new=False)
        trackio.init(
            project=project,
            name=to.name,
            config={**logged.facts, **to.facts, CONTENT: logged.content},
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )
        table = trackio.Table(columns=list(logged.rows[0]), data=[list(row.values()) for row in logged.rows])
        trackio.log({**logged.scalars, TAKEN[0]: table})
        trackio.finish()  # of the run alone it would be said once more at the end of the program
        lost = elsewhere is None and not _has(trackio.Api(), project, logged.content)
    said = [str(each.message) for each in told if "trackio" in each.filename or "trackio" in str(each.message)]
    if lost or said:
        raise DataError(f"trackio: not all of the run was sent: {' '.join((said or ['nothing is there'])[0].split())}")
    return Sent(where)


def _has(kept: Any, project: str, content: str) -> bool:
    """Return whether a project has a run of a content."""
    with suppress(ValueError):  # there is no such project yet
        return any((run.config or {}).get(CONTENT) == content for run in kept.runs(project))
    return False
