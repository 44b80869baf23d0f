"""Whose turn it is to send a request to an endpoint, among all workers on this machine.

A file in diptych's cache holds the time before which none is to begin. Decides nothing about how many begin at once.
"""

import hashlib
import math
import time
from dataclasses import dataclass

from diptych.assets import cache_dir
from diptych.storage.locks import in_turn

FOLDER = "turns"
FARTHEST_S = 2 * 3600.0  # a time farther ahead is of a clock that was set back


@dataclass(frozen=True)
class RequestTurns:
    """The turns at one endpoint with one key.

    Attributes:
        base_url: Of the endpoint.
        key_variable: What names the key.
        interval_s: Least time between the beginnings of two requests.
    """

    base_url: str
    key_variable: str
    interval_s: float

    def take(self) -> None:
        """Wait for the next turn."""
        time.sleep(self._moved(self.interval_s))

    def hold(self, seconds: float) -> None:
        """Let nobody begin for so long."""
        self._moved(seconds, at_least=True)

    def _moved(self, seconds: float, at_least: bool = False) -> float:
        """Move the time on: behind the turn that is taken, or to so long from now at least; return the wait."""
        with in_turn(self._file) as file:
            now = time.time()
            begins = max(now, _time_in(file.read(), now))
            file.seek(0)
            file.truncate()
            file.write(repr(max(begins, now + seconds) if at_least else begins + seconds))
            file.flush()
        return begins - now

    @property
    def _file(self) -> str:
        name = hashlib.sha256(f"{self.base_url} {self.key_variable}".encode()).hexdigest()[:16]
        return str(cache_dir() / FOLDER / name)


def _time_in(text: str, now: float) -> float:
    """Return the time that a file holds; of one that is damaged, or farther ahead than any, none."""
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) and found - now <= FARTHEST_S else 0.0
