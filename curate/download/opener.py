"""Download the images of one shard through img2dataset.

img2dataset brings the thread pool and the flow of rows; ``fetch`` beside it brings the bounds, the retries, the ear for
an owner's no and the error codes. Decides which rows are asked for and what each one gets. Does not look into the
bytes: they are kept as they came, and whether they are an image is for the decoder to say.
"""

import io
import os
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.curate.download.errors import FetchError, code_of
from diptych.curate.download.fetch import BoundedOpener, FetchLimits, installed, parse_target
from diptych.curate.download.spool import Body, Spool
from diptych.lookup import import_attribute


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
WIND_DOWN_S = 30.0  # more than it takes; a bound in case the thread never came up

OnRows = Callable[[Sequence[int], Fetched], None]

LOST = Fetched(None, "internal", "img2dataset lost this row; the log says why")


def fetch_rows(
    urls: Sequence[str | None],
    on_rows: OnRows,
    *,
    spool: Spool,
    threads: int,
    limits: FetchLimits,
) -> None:
    """Ask for the URL of each row and hand over what each row got as soon as that is known.

    Rows whose URLs are the same (in normal form) are asked for once. While it runs, the opener behind
    ``urllib.request.urlopen`` is replaced for the whole process, and a second call waits for the first.

    Args:
        urls: One per row; None and anything that is no http(s) URL gives ``bad_url``.
        on_rows: Called with the numbers of the rows of one URL and what they got: every row exactly once, in the order
            in which they end, from one thread at a time; must not raise.
        spool: Where bodies wait to be taken.
        threads: How many URLs are under way at a time.
        limits: The bounds for each URL.

    Raises:
        MissingExtra: If img2dataset is not installed.
        OSError: If the disk refuses what has come.
        KeyboardInterrupt: On Ctrl-C, within moments: what is under way is broken off.
    """
    rows_of_url: dict[str, list[int]] = {}
    for row, url in enumerate(urls):
        try:
            rows_of_url.setdefault(parse_target(url).url, []).append(row)
        except FetchError as error:
            on_rows([row], Fetched(None, error.code, error.detail))
    if rows_of_url:
        waiting = dict(rows_of_url)

        def take(url: str, got: Fetched) -> None:
            rows = waiting.pop(url)
            if got.body is not None:
                got.body.uses = len(rows)
            on_rows(rows, got)

        with closing(BoundedOpener(limits, spool)) as opener:
            ends = _BothEnds(opener, take)
            with tempfile.TemporaryDirectory(prefix="diptych-fetch-") as folder, installed(ends):
                _run(_download(list(rows_of_url), Path(folder), ends, threads), opener)
        if spool.failure is not None:
            raise spool.failure
        for rows in waiting.values():
            on_rows(rows, LOST)


class _BothEnds(urllib.request.OpenerDirector):
    """Stands where img2dataset takes in and where it hands out, and keeps the bodies meanwhile.

    What passes through is a stand-in, so that no picture waits in img2dataset's own queues. As an opener it is asked
    for a URL, in the place of its sample writer it hands the row on, in the order in which rows end.
    """

    def __init__(self, opener: BoundedOpener, take: Callable[[str, Fetched], None]) -> None:
        super().__init__()
        self.limits = opener.limits
        self._opener = opener
        self._take = take
        self._bodies: dict[str, Body] = {}

    def open(self, fullurl: Any, data: Any = None, timeout: float | None = None) -> io.BytesIO:
        answer = self._opener.open(fullurl, data, timeout)
        self._bodies[fullurl if isinstance(fullurl, str) else fullurl.full_url] = answer.body
        return io.BytesIO(b"kept")

    def write(self, img_str: bytes | None, _key: str, _caption: str | None, meta: Mapping[str, Any]) -> None:
        if img_str is not None:
            self._take(meta["url"], Fetched(self._bodies.pop(meta["url"]), "ok", ""))
        else:
            self._take(meta["url"], Fetched(None, *code_of(meta["error_message"])))


def _download(urls: list[str], folder: Path, ends: _BothEnds, threads: int) -> Callable[[], None]:
    """Return what hands the URLs to img2dataset, in the form and place that it reads them from."""
    # Else two libraries that img2dataset imports would ask the network for a newer version and for an account.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    os.environ.setdefault("WANDB_MODE", "disabled")
    downloader_class = import_attribute("img2dataset.downloader:Downloader")
    resizer_class = import_attribute("img2dataset.resizer:Resizer")
    table = pa.table({"url": pa.array(urls, pa.string())})
    path = folder / "urls.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    downloader = downloader_class(
        sample_writer_class=lambda *_: ends,
        resizer=resizer_class(0, "no", resize_only_if_bigger=False, disable_all_reencoding=True),
        thread_count=threads,
        save_caption=False,
        extract_exif=False,
        output_folder=str(folder),
        column_list=["url"],
        timeout=ends.limits.deadline_s,
        number_sample_per_shard=len(urls),
        oom_shard_count=1,
        compute_hash=None,
        verify_hash_type=None,
        encode_format="jpg",
        retries=0,
        user_agent_token=None,
        disallowed_header_directives=None,  # the opener has read them
    )
    return lambda: downloader.download_shard((0, str(path)))


def _run(download: Callable[[], None], opener: BoundedOpener) -> None:
    """Run ``download`` in a thread of its own and wait.

    Interrupted in the thread that runs it, img2dataset never returns: its pool waits for a generator that waits for the
    pool. So the interrupt arrives here, the requests are broken off, and img2dataset comes to its end.
    """
    failures: list[BaseException] = []
    # Not join: before Python 3.13, once it was interrupted, it takes a thread that still runs for one that ended.
    finished = threading.Event()

    def work() -> None:
        try:
            download()
        except BaseException as error:  # crosses the thread, to be raised where it is waited for
            failures.append(error)
        finally:
            finished.set()

    thread = threading.Thread(target=work, name="img2dataset", daemon=True)
    try:
        thread.start()  # waits for the thread to be up, and is interrupted there on a busy machine
        while not finished.wait(WAIT_S):
            if opener.spool.failure is not None:  # no row's fault, and the next ones would fare no better
                opener.close()
    except BaseException:
        opener.close()
        finished.wait(WIND_DOWN_S)
        raise
    thread.join()
    if failures:
        raise failures[0]
