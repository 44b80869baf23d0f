"""Holds what diptych finds in an odd input against what is right."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ingested import make_config, pool_rows, run
from source_rows import rows_of

from diptych.curate.ingest.inputs import look_at_input
from odd_inputs.case import Make, OddCase, Pair, same_text
from odd_inputs.folders import folder_case
from odd_inputs.parquets import parquet_case
from odd_inputs.tables import table_case
from odd_inputs.tars import tar_case


class FoundRow(NamedTuple):
    """What a row has as its picture, its caption and its status."""

    picture: str | None
    caption: str | None
    status: str


MAKERS: dict[str, Make] = {"folder": folder_case, "parquet": parquet_case, "table": table_case, "tar": tar_case}


def pooled(case: OddCase, pool: Path) -> list[FoundRow]:
    """Return the rows of a pool, whose pictures are known by their sha256."""
    rows = pool_rows(run(make_config(case.source), pool).dataset)
    return [FoundRow(row["sha256"], row["caption"], row["status"]) for row in rows]


def read(case: OddCase, pool: Path) -> list[FoundRow]:
    """Return the rows of a source of URLs, which nobody asks for."""
    config = make_config(case.source)
    rows = rows_of(config.source)
    assert look_at_input(config).read().plan([]).total == len(rows)
    return [FoundRow(row["url"], row["caption"], (row["__problem"] or "ok").partition(":")[0]) for row in rows]


def check(case: OddCase, pool: Path) -> None:
    """Fail where a pair is lost or wrong, or a row has another reason than the right one."""
    rows = (read if case.source["kind"] == "url_table" else pooled)(case, pool) if case.pairs or case.reasons else []
    found = Counter(Pair(row.picture or "", same_text(row.caption)) for row in rows if row.status == "ok")
    others = Counter(row.status for row in rows if row.status != "ok")
    lost, wrong = (
        [(pair.picture[:40], (pair.caption or "None")[:60]) for pair in pairs]
        for pairs in (case.pairs - found, found - case.pairs)
    )
    where = f"seed {case.seed}: {case.told}: lost {lost}, wrong {wrong}, others {dict(others)}"
    if not case.may_lack:
        assert found == case.pairs, where
        assert others == case.reasons, where
    else:
        assert not found - case.pairs, where
        assert others or found == case.pairs, where


def check_seeds(kind: str, seeds: range, folder: Path) -> None:
    """Make an odd input of each seed in a folder, and check what is found in it."""
    for seed in seeds:
        place = folder / str(seed)
        (place / "input").mkdir(parents=True)
        check(MAKERS[kind](seed, place / "input"), place / "pool")
