"""The work of a run: a shard of a layout to a file. While a batch is rendered, threads encode the one before and write.

A row's picture is rendered, or taken from where it lies already; an image with several rows is rendered once.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.data.growing import staged
from diptych.data.shards import ShardInfo, write_shard
from diptych.generate.attempts import Attempts
from diptych.generate.kept import KeptBatches
from diptych.generate.layout import ShardTask
from diptych.generate.plan import GenerationPlan
from diptych.generate.renderers import Renderers
from diptych.generate.rows import MadePicture, Rendered, picture_of, planned_row, status_of, to_table
from diptych.generate.stored import StoredPictures
from diptych.generate.timings import ShardTiming
from diptych.jobs.contract import Report
from diptych.storage.location import Location

ENCODERS = 2  # threads
BATCHES_AHEAD = 4  # encoded or to be encoded while the device goes on; beyond that it waits
MOST_ROWS = 64  # of a piece, where nothing is rendered


class MadeShard(NamedTuple):
    """A shard that was written, and what is noted of it."""

    info: ShardInfo
    replaces: bool
    rendered: int
    timing: Mapping[str, Any]
    kept: Sequence[str]  # names of what was written of it before


@dataclass
class Piece:
    """Rows of a shard that become a table together, with the images that are rendered for them as one batch."""

    places: list[int] = field(default_factory=list)
    images: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class GenerateJob:
    """Writes shards of a plan into a directory."""

    plan: GenerationPlan
    data: Location
    given_up: Mapping[str, str]  # groups that failed in a trial, by their label, and why

    @property
    def uses_gpu(self) -> bool:
        """Whether a worker takes a GPU for itself, where there are some."""
        return self.plan.config.device != "cpu"

    def open(self, report: Report) -> Callable[[ShardTask], MadeShard]:
        """Return the function that writes one shard; models are loaded when an image needs them."""
        attempts = Attempts(Renderers(self.plan), self.given_up)
        return lambda task: _ShardWriter(self, task, attempts, report).run()


class _ShardWriter:
    """Writes one shard; lives for one task."""

    def __init__(self, job: GenerateJob, task: ShardTask, attempts: Attempts, report: Report) -> None:
        self._plan = job.plan
        self._task = task
        self._place = job.data / task.name
        self._attempts = attempts
        self._report = report
        self._stored = StoredPictures()
        self._timing = ShardTiming()

    def run(self) -> MadeShard:
        started, loaded = time.monotonic(), self._attempts.load_s
        pieces = cut_into_pieces(self._plan, self._task)
        tables = _TablesInOrder()
        place = staged(self._place) if self._task.replaces else self._place
        kept = KeptBatches(self._place.parent.parent, self._task.source, self._timing.environments)
        with (
            ThreadPoolExecutor(ENCODERS, thread_name_prefix="encode") as encoders,
            ThreadPoolExecutor(1, thread_name_prefix="write") as writer,
        ):
            written = writer.submit(
                write_shard, kept.pass_on(tables.take(len(pieces))), place, source=self._task.source
            )
            try:
                for piece in pieces:
                    make = self._prepare(piece)
                    tables.wait_for_room(written)
                    tables.add(encoders.submit(make))
            except BaseException as error:  # also Ctrl-C: the writer must not wait for rows that do not come
                tables.fail(error)
                raise
            info = replace(written.result(), name=self._task.name)
        timing = {
            "shard": info.name,
            "seconds": round(time.monotonic() - started, 3),
            "load_s": round(self._attempts.load_s - loaded, 3),
            "settings": self._timing.settings,
            "environments": self._timing.environments,
        }
        return MadeShard(info, self._task.replaces, len(self._task.rendered), timing, tuple(kept.names))

    def _prepare(self, piece: Piece) -> Callable[[], pa.Table]:
        """Render what a piece needs and read what it takes; return what makes its table, for another thread."""
        pixels = dict(zip(piece.images, self._render(piece), strict=True))
        taken = {
            place: self._stored.picture(self._task.taken[place]) for place in piece.places if place in self._task.taken
        }
        statuses = Counter(picture.status for picture in taken.values())
        for place in (place for place in piece.places if place not in taken):
            statuses[status_of(pixels[self._task.rows[place].image])] += 1
        self._report(len(piece.places), statuses)
        return lambda: self._to_table(piece, pixels, taken)

    def _render(self, piece: Piece) -> list[Rendered]:
        if not piece.images:
            return []
        group = self._plan.group_of(piece.images[0])
        began, loaded = time.monotonic(), self._attempts.load_s
        found = self._attempts.render(group, [self._plan.image(number) for number in piece.images])
        seconds = time.monotonic() - began - (self._attempts.load_s - loaded)
        self._timing.add_batch(group, len(piece.images), seconds, self._attempts.environment)
        return found

    def _to_table(self, piece: Piece, pixels: Mapping[int, Rendered], taken: Mapping[int, MadePicture]) -> pa.Table:
        rendered = {number: picture_of(one, self._plan.config.format) for number, one in pixels.items()}
        rows = [self._task.rows[place] for place in piece.places]
        pictures = [
            taken[place] if place in taken else rendered[row.image]
            for place, row in zip(piece.places, rows, strict=True)
        ]
        return to_table(self._plan, [planned_row(self._plan, row) for row in rows], pictures)


def cut_into_pieces(plan: GenerationPlan, task: ShardTask) -> list[Piece]:
    """Cut the rows of a shard, in order, so that each piece renders one batch at most, of one model and setting."""
    pieces: list[Piece] = [Piece()]
    for place, row in enumerate(task.rows):
        piece = pieces[-1]
        is_rendered = place not in task.taken and row.image not in piece.images
        if is_rendered:
            is_full = bool(piece.images) and not _fits(plan, piece, row.image)
        else:
            is_full = len(piece.places) >= MOST_ROWS and row.image not in piece.images
        if is_full:
            piece = Piece()
            pieces.append(piece)
        piece.places.append(place)
        piece.images += [row.image] if is_rendered else []
    return pieces


def _fits(plan: GenerationPlan, piece: Piece, image: int) -> bool:
    group = plan.group_of(piece.images[0])
    return plan.group_of(image) is group and len(piece.images) < group.batch_size


class _TablesInOrder:
    """Hands tables from those who make them to the one who writes them, in order, a few at a time."""

    def __init__(self) -> None:
        self._tables: list[Future[pa.Table]] = []
        self._arrived = threading.Condition()
        self._room = threading.BoundedSemaphore(BATCHES_AHEAD)

    def wait_for_room(self, written: Future[ShardInfo]) -> None:
        """Wait until a table may be added; a writer that failed ends the shard with its error."""
        while not written.done():
            if self._room.acquire(timeout=1.0):
                return
        written.result()

    def add(self, table: Future[pa.Table]) -> None:
        """Add the next table, which may still be in the making."""
        table.add_done_callback(lambda _: self._room.release())
        self._append(table)

    def fail(self, error: BaseException) -> None:
        """Let whoever waits for a table have an error."""
        failed: Future[pa.Table] = Future()
        failed.set_exception(error)
        self._append(failed)

    def take(self, count: int) -> Iterator[pa.Table]:
        """Yield so many tables, waiting for them; none is kept once it was given."""
        for _ in range(count):
            with self._arrived:
                self._arrived.wait_for(lambda: bool(self._tables))
                table = self._tables.pop(0)
            yield table.result()

    def _append(self, table: Future[pa.Table]) -> None:
        with self._arrived:
            self._tables.append(table)
            self._arrived.notify()
