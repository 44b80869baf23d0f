"""A report whose folder lies in an object store: built on this machine, and uploaded file by file, the pages last.

Decides nothing about what is in it.
"""

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from diptych.data.claims import REPORT, check_apart, check_writable
from diptych.errors import ConfigError
from diptych.progress import track
from diptych.reports.built import Built
from diptych.reports.read.picture_job import PREVIEWS, THUMBNAILS
from diptych.storage.object_stores import StoreLocation
from diptych.storage.store_path import StorePath

THREADS = 8
BY_CONTENT = (THUMBNAILS, PREVIEWS)  # folders of files whose names follow from what is in them


def build_uploaded(place: StoreLocation, build: Callable[[Path], Built], *, progress: str) -> Built:
    """Build a report, and put it into an object store in the place of an earlier one.

    Args:
        place: Where.
        build: Builds it into an empty folder.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If something else lies there.
        DataError: If the object store refuses; run again to go on.
        ShardError: If the place lies inside a dataset or another report, or nothing is written in a store of that kind.
    """
    check_writable(place)
    check_apart(place)
    there = frozenset(place.below())
    if there and REPORT not in there:
        raise ConfigError(f"{place}: holds files that are no report; give another --out or an empty place")
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        made = Path(folder) / "report"
        built = build(made)
        names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
        kept = {name for name in there.intersection(names) if name.partition("/")[0] in BY_CONTENT}
        pages = [name for name in names if name.endswith(".html")]
        others = [name for name in names if name not in {REPORT, *pages, *kept}]
        with track("upload", len(names), mode=progress, unit="files", done=len(kept)) as tracker:

            def upload(name: str) -> None:
                (place / name).write((made / name).read_bytes())
                tracker.advance()

            upload(REPORT)  # first, so that an upload that was killed can go on
            _all(upload, others)
            _all(upload, pages)
        _all(lambda name: (place / name).remove(), sorted(there.difference(names)))
    thumbnails = sum(name.startswith(f"{THUMBNAILS}/") for name in kept)
    return replace(built, index=StorePath(str(place / built.index.name)), pictures_kept=thumbnails)


def _all(work: Callable[[str], None], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(THREADS, thread_name_prefix="upload") as pool:
        try:
            for _ in pool.map(work, names):
                pass
        except BaseException:  # what the store refuses once is not tried for each of thousands
            pool.shutdown(wait=False, cancel_futures=True)
            raise
