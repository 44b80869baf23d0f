"""Build a report: gather rows, write pictures and data, render every page. The same inputs give the same bytes.

The pages are written last, so that what they show is there; a rerun makes only what is new.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych.addresses import Address
from diptych.data.claims import REPORT, check_apart
from diptych.data.column_names import describe_unknown_column
from diptych.errors import ConfigError, DataError
from diptych.jobs.engine import HERE, Engine
from diptych.lookup import describe_unknown, import_attribute
from diptych.progress import track
from diptych.reports.built import Built
from diptych.reports.config import ReportConfig
from diptych.reports.pages import DATA, PAGES, PART, TITLE, file_name
from diptych.reports.pages.funnel import rows_shown
from diptych.reports.read.chunks import FOLDER, pack_json, write_chunks
from diptych.reports.read.curated import read_pool
from diptych.reports.read.picture_job import Sizes
from diptych.reports.read.pictures import flags, made_before, make_pictures, remove_others
from diptych.reports.read.pool import Pool, open_pool
from diptych.reports.read.report import Report
from diptych.reports.read.rows import ReportRows, RowsPart, join
from diptych.reports.read.stored import add_scores, choose_run, find_folders, read_store
from diptych.reports.rendering import make_environment, render, static_files
from diptych.reports.uploaded import build_uploaded
from diptych.storage.json_objects import write_json
from diptych.storage.location import Location
from diptych.storage.object_stores import StoreLocation
from diptych.store.store import Store

FORMAT = 1


def build_report(config: ReportConfig, address: Address, *, engine: Engine = HERE, progress: str = "none") -> Built:
    """Write the report into a folder, new, empty or holding an earlier build.

    Args:
        config: What to report on.
        address: The folder; in an object store, it is built on this machine and uploaded.
        engine: Who makes its pictures.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name in the config is not there, or the folder holds something else.
        ShardError: If the folder lies inside a dataset or another report.
        DataError: If a dataset is gone or changed.
        StoreError: If the store cannot be read.
    """
    place = Location.at(address)
    if isinstance(place, StoreLocation):
        if engine.name != HERE.name:
            raise ConfigError(
                f"{address}: a report in a store is built on this machine; leave --engine {engine.name} out"
            )
        return build_uploaded(
            place, lambda folder: build_report(config, folder, engine=engine, progress=progress), progress=progress
        )
    out = Path(place)
    _check_folder(out)
    with _opened(config) as (store, run):
        pools = _open_pools(config)
        with track("gather", None, mode=progress):
            rows = _gather(config, store, run, pools)
        blurred = flags(rows, _checked_flag(config, rows))
        sizes = Sizes(config.thumbnail_px, config.preview_px)
        _begin(out, config)
        before = made_before(out)
        pictures = make_pictures(rows, blurred, out, sizes, engine=engine, progress=progress)
        remove_others(out, pictures)
        report = Report(config, rows, pictures, tuple(pools), store, run)
        kept = sum(picture.thumbnail in before for picture in pictures)
        return _write(report, out, kept, progress)


def _check_folder(out: Path) -> None:
    check_apart(Location.at(out))
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: a file, not a folder; give another --out")
    if out.is_dir() and any(out.iterdir()) and not (out / REPORT).is_file():
        raise ConfigError(f"{out}: holds files that are no report; give another --out or an empty folder")


@contextlib.contextmanager
def _opened(config: ReportConfig) -> Iterator[tuple[Store | None, dict[str, Any]]]:
    """Give the store and the run, or None and nothing."""
    if config.store is None:
        yield None, {}
        return
    with Store.open(config.store, read_only=True) as store:
        yield store, choose_run(store, config.run)


def _open_pools(config: ReportConfig) -> list[Pool]:
    pools: list[Pool] = []
    for path in config.pools:
        pools.append(open_pool(path, [pool.label for pool in pools]))
    return pools


def _gather(config: ReportConfig, store: Store | None, run: Mapping[str, Any], pools: list[Pool]) -> ReportRows:
    limit = max(1, config.max_images // (len(pools) + (store is not None)))
    stored = find_folders(store, run["run_id"], config.datasets) if store is not None else {}
    same = _stored_as(pools, stored)
    folders = dict(stored)
    parts = [read_store(store, run["run_id"], limit, list(same.values()))] if store is not None else []
    for number, pool in enumerate(pools):
        label = same.get(number) or (f"{pool.label} (pool)" if pool.label in stored else pool.label)
        pool = pools[number] = replace(pool, label=label)
        folders[pool.label] = pool.dataset.location
        part = read_pool(pool, limit, rows_shown(pool))
        if number in same and store is not None:
            part.also = RowsPart({name: part.columns[name] for name in ("dataset", "key")})
            add_scores(store, run["run_id"], part.also)
        parts.append(part)
    return join(parts, folders)


def _stored_as(pools: Sequence[Pool], stored: Mapping[str, Location]) -> dict[int, str]:
    """Return which pools the store has as datasets, too: number of the pool -> label there; a dataset is one pool."""
    places = {os.path.realpath(path): label for label, path in stored.items()}
    found: dict[int, str] = {}
    for number, pool in enumerate(pools):
        label = places.get(os.path.realpath(pool.dataset.location))
        if label is not None and label not in found.values():
            found[number] = label
    return found


def _checked_flag(config: ReportConfig, rows: ReportRows) -> Any:
    rule = config.flagged
    if rule is None:
        return None
    if not rows.numbers_named(rule.score):
        raise ConfigError(f"flagged.score: {describe_unknown_column(rule.score, rows.numbers, what='score')}")
    for label in rule.datasets or ():
        if label not in rows.folders:
            raise ConfigError(f"flagged.datasets: {describe_unknown('dataset', label, rows.folders)}")
    return rule


def _begin(out: Path, config: ReportConfig) -> None:
    """Mark the folder as a report before anything else is in it, so that a killed build can go on."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be made: {error.strerror}; give another --out") from error
    if not (out / REPORT).is_file():
        write_json(out / REPORT, {"format": FORMAT, "title": config.title})


def _write(report: Report, out: Path, kept: int, progress: str) -> Built:
    written: set[str] = set()

    def write(name: str, data: bytes) -> None:
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}; make room, then run again") from error
        written.add(name)

    contexts = {}
    with track("pages", len(PAGES), mode=progress, unit="pages") as tracker:
        write_chunks(report, lambda name, data: write(f"{FOLDER}/{name}", data))
        for name, data in static_files().items():
            write(name, data)
        for name, page in PAGES.items():
            contexts[name] = import_attribute(page.target)(report)
            for context in contexts[name]:
                for file, data in context.get(DATA, {}).items():
                    write(f"{FOLDER}/{file}.js", pack_json(file, data))
            tracker.advance(1)
    pages = _render(report, contexts, write)
    _remove_stale(out, written)
    write_json(out / REPORT, {"format": FORMAT, "title": report.config.title, "pages": list(pages)})
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Built(out / file_name("overview"), pages, len(report.rows), kept, size)


def _render(report: Report, contexts: Mapping[str, list[dict[str, Any]]], write: Any) -> tuple[str, ...]:
    environment = make_environment()
    rail = [
        {"name": name, "title": contexts[name][0].get(TITLE, page.title), "file": file_name(name)}
        for name, page in PAGES.items()
        if contexts[name]
    ]
    absent = [file_name(name) for name in PAGES if not contexts[name]]  # no link leads there
    files = []
    for name, parts in contexts.items():
        for number, context in enumerate(parts):
            shared = {
                "report_title": report.config.title,
                "run_name": report.run.get("name") or "",
                "run_id": report.run.get("run_id") or "",
                "page": name,
                TITLE: PAGES[name].title,
                "rail": rail,
                "absent": absent,
                "scripts": PAGES[name].scripts,
                "files": [file_name(name, part) for part in range(len(parts))],
                "part_names": [each.get(PART, "") for each in parts],
                "part": number,
                "draw_word": report.draw_word,
                "image_count": len(report.rows),
                "image_total": report.rows.total,
            }
            file = file_name(name, number)
            write(file, render(environment, name, {**shared, **context}))
            files.append(file)
    return tuple(files)


def _remove_stale(out: Path, written: set[str]) -> None:
    """Remove pages and data of an earlier build that this one does not have."""
    for path in [*out.glob("*.html"), *out.glob(f"{FOLDER}/*.js"), *out.glob("assets/*")]:
        if path.relative_to(out).as_posix() not in written:
            path.unlink()
