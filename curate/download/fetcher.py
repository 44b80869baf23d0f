"""Ask for the URLs of many rows at once, with one set of connections for all shards that a worker has in hand.

``fetch`` beside it has the bounds, the retries, the ear for an owner's no and the error codes. Decides which rows are
asked for, in which order, and what each one gets. Does not look into the bytes: they are kept as they came, and whether
they are an image is for the decoder to say.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from diptych.curate.download.addresses import FetchTarget
from diptych.curate.download.errors import FetchError
from diptych.curate.download.fetch import BoundedOpener, FetchLimits, parse_target
from diptych.curate.download.spool import Body, Spool
from diptych.errors import one_line
from diptych.shortage import what_ran_out


class Fetched(NamedTuple):
    """What one row got.

    Attributes:
        body: The body as it came, to be taken once for each row of its URL; or None.
        code: ``ok``, or one of ``diptych.curate.download.errors.FETCH_CODES``.
        detail: What happened where the code is not ``ok``: one line of at most 200 characters, else empty.
    """

    body: Body | None
    code: str
    detail: str


# Waiting without end is only interrupted while no library (polars does) has its own handler of Ctrl-C.
WAIT_S = 0.5
WIND_DOWN_S = 30.0  # more than it takes

OnRows = Callable[[Sequence[int], Fetched], None]


class Fetcher:
    """Asks for the rows of one or several shards at a time, from as many threads as call ``fetch``.

    The rows of the shard that came first go first. Once all of them are under way, those of the next shard take each
    connection that falls idle, so that a few slow rows at the end of a shard hold up no others.
    """

    def __init__(self, limits: FetchLimits, threads: int) -> None:
        """Ask with ``threads`` connections at a time, within the bounds for each URL."""
        self._limits = limits
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "fetch")
        self._openers: set[BoundedOpener] = set()
        self._is_closed = False

    def close(self) -> None:
        """Break off what is under way, from any thread, and end all threads; each ``fetch`` then raises."""
        self._is_closed = True
        for opener in list(self._openers):
            opener.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def fetch(self, urls: Sequence[str | None], on_rows: OnRows, *, spool: Spool) -> None:
        """Ask for the URL of each row and hand over what each row got as soon as that is known.

        Rows whose URLs are the same (in normal form) are asked for once.

        Args:
            urls: One per row; None and anything that is no http(s) URL gives ``bad_url``.
            on_rows: Called here, with the numbers of the rows of one URL and what they got: every row exactly once, in
                the order in which they end. What it raises ends the shard.
            spool: Where bodies wait to be taken.

        Raises:
            OSError: If the disk refuses what has come.
            FetchError: ``internal`` if the fetcher was closed.
            KeyboardInterrupt: On Ctrl-C, within moments: what is under way is broken off.
        """
        rows_of_url: dict[FetchTarget, list[int]] = {}
        for row, url in enumerate(urls):
            try:
                rows_of_url.setdefault(parse_target(url), []).append(row)
            except FetchError as error:
                on_rows([row], Fetched(None, error.code, error.detail))
        if not rows_of_url:
            return
        with self._opened(spool) as opener:
            shard = _ShardUrls(rows_of_url, opener)
            askers: list[Future[None]] = []
            try:
                for _ in range(min(self._threads, len(rows_of_url))):
                    askers.append(self._pool.submit(shard.ask))
                for _ in rows_of_url:
                    target, got = self._next(shard)
                    if got.body is not None:
                        got.body.uses = len(rows_of_url[target])
                    on_rows(rows_of_url[target], got)
            finally:
                shard.stop()
                wait(askers, timeout=WIND_DOWN_S)

    @contextlib.contextmanager
    def _opened(self, spool: Spool) -> Iterator[BoundedOpener]:
        opener = BoundedOpener(self._limits, spool)
        self._openers.add(opener)
        try:
            self._check_is_open()
            yield opener
        finally:
            opener.close()
            self._openers.discard(opener)

    def _next(self, shard: "_ShardUrls") -> tuple[FetchTarget, Fetched]:
        """Return a URL that is through and what it gave, once there is one."""
        while True:
            through = None
            with contextlib.suppress(queue.Empty):
                through = shard.through.get(timeout=WAIT_S)
            self._check_is_open()
            if shard.failure is not None:  # no row's fault, and the next ones would fare no better
                raise shard.failure
            if through is not None:
                return through

    def _check_is_open(self) -> None:
        if self._is_closed:
            raise FetchError("internal", "the run was interrupted")


class _ShardUrls:
    """The URLs of one shard, taken by as many threads as ``ask`` for them.

    Nobody who asks looks at what has come: memory that is freed in one thread is hard to use for another one, so that
    each of them would hold a picture.
    """

    def __init__(self, urls: Iterable[FetchTarget], opener: BoundedOpener) -> None:
        self.through: queue.SimpleQueue[tuple[FetchTarget, Fetched]] = queue.SimpleQueue()
        self._urls = iter(urls)
        self._opener = opener
        self._ran_out: Exception | None = None
        self._taking = threading.Lock()

    @property
    def failure(self) -> Exception | None:
        """What this machine had no more of, so that nothing more can be asked for."""
        return self._opener.spool.failure or self._ran_out

    def ask(self) -> None:
        """Ask for one URL after the other until all are taken."""
        while (url := self._take()) is not None:
            if (got := self._got(url)) is not None:
                self.through.put((url, got))

    def stop(self) -> None:
        """Break off what is under way, and take no more."""
        with self._taking:
            self._urls = iter(())
        self._opener.close()

    def _take(self) -> FetchTarget | None:
        with self._taking:
            return next(self._urls, None) if self.failure is None else None

    def _got(self, url: FetchTarget) -> Fetched | None:
        try:
            return Fetched(self._opener.open(url).body, "ok", "")
        except FetchError as error:
            return Fetched(None, error.code, error.detail)
        except Exception as error:  # of one row: what a server sends may meet a fault of this program
            if what_ran_out(error):
                self._ran_out = error
                return None
            return Fetched(None, "internal", one_line(error))
