"""Which of the shards that a worker has in hand are written at a time: memory holds rows of two at most."""

import contextlib
import threading
from collections.abc import Iterator

from diptych.curate.ingest.awaited import AwaitedRows


class WritingTurns:
    """One shard is written while its rows come; another one when all of its rows are there, one after the other.

    So a shard that waits for a slow row holds up no other, and what has come for the others waits on the disk.
    """

    def __init__(self) -> None:
        """Let the first one write."""
        self._while_they_come = threading.Lock()
        self._when_all_came = threading.Lock()

    @contextlib.contextmanager
    def turn(self, awaited: AwaitedRows) -> Iterator[None]:
        """Wait for the turn of a shard, and have it within; raises what there is in the place of a row."""
        turn = self._while_they_come
        if not turn.acquire(blocking=False):
            awaited.wait_for_all()
            turn = self._when_all_came
            turn.acquire()
        try:
            yield
        finally:
            turn.release()
