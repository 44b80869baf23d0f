"""The rows of a run in the store as a report has them, with their scores and every further column of the data."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.addresses import Address
from diptych.data.dataset import open_dataset
from diptych.data.sql import text
from diptych.errors import ConfigError, DataError
from diptych.lookup import describe_unknown
from diptych.reports.read.columns import DECIDED, further_names, row_columns
from diptych.reports.read.rows import Meaning, RowsPart
from diptych.storage.location import Location
from diptych.store.store import Store

# Every group gets as many images as every other; the same prompts in each, so that they can be compared.
SAMPLE = """
SELECT * EXCLUDE (turn) FROM (
    SELECT *, row_number() OVER (
        PARTITION BY dataset, model, setting
        ORDER BY md5(coalesce(prompt_id, key)), prompt_id, sample, key
    ) AS turn
    FROM images WHERE run_id = ? AND {skipped}
) ORDER BY turn, dataset, model, setting LIMIT ?
"""
NO_REASON = "not_scorable"  # where nobody says why an image has no score
# What is not finite is no score to an evaluation, which counts it among those without one.
FINITE = "CASE WHEN isfinite(scores.value) THEN scores.value END"
WHY_NONE = f"coalesce(scores.reason, CASE WHEN scores.value IS NULL THEN '{NO_REASON}' ELSE 'not_finite' END)"
SCORES = f"""
SELECT dataset, key, {FINITE} AS value, text, {WHY_NONE} AS reason FROM scores
WHERE run_id = ? AND score = ? ORDER BY dataset, key
"""
# Generated images first, then what they are compared with; within a dataset as the rows lie there.
ORDER = "ORDER BY model IS NULL, dataset, shard, shard_row, key"


def choose_run(store: Store, wanted: str | None) -> dict[str, Any]:
    """Return the row of the run that a report is about.

    Raises:
        ConfigError: If there is none, or several and none is named.
    """
    runs = store.query("SELECT * FROM runs ORDER BY name, run_id")
    names = [str(run["name"]) for run in runs]
    if not runs:
        raise ConfigError(f"{store.path}: the store holds no run; make one with: diptych evaluate run CONFIG")
    if wanted is None and len(runs) > 1:
        raise ConfigError(f"{store.path}: the store holds {len(runs)} runs; name one with run: {', '.join(names)}")
    found = [run for run in runs if wanted in (None, run["name"], run["run_id"])]
    if not found:
        raise ConfigError(f"{store.path}: {describe_unknown('run', str(wanted), names)}")
    return found[0]


def find_folders(store: Store, run_id: str, moved: Mapping[str, Address]) -> dict[str, Location]:
    """Return where the datasets of a run lie, by label.

    Raises:
        ConfigError: If one that ``moved`` names is not in the run.
        DataError: If one is gone or has another content than when it was evaluated.
    """
    datasets = store.query("SELECT * FROM datasets WHERE run_id = ? ORDER BY dataset", [run_id])
    labels = [str(row["dataset"]) for row in datasets]
    for label in moved:
        if label not in labels:
            raise ConfigError(f"datasets: {describe_unknown('dataset', label, labels)}")
    folders = {}
    for row in datasets:
        label, path = row["dataset"], Location.at(moved.get(row["dataset"]) or row["path"])
        if not path.is_store and not os.path.isdir(path):  # also where this user may not look
            raise DataError(f"{path}: the dataset {label!r} is gone; if it was moved, say where with datasets: {label}")
        if open_dataset(path).fingerprint != row["fingerprint"]:
            raise DataError(f"{path}: changed since it was evaluated; run again: diptych evaluate run CONFIG")
        folders[label] = path
    return folders


def read_store(store: Store, run_id: str, limit: int, elsewhere: Sequence[str] = ()) -> RowsPart:
    """Return the images of a run with their scores, a sample of ``limit`` if there are more.

    Args:
        store: The store.
        run_id: Of the run.
        limit: Rows at most.
        elsewhere: Datasets whose rows another source gives.
    """
    skipped = f"NOT list_contains([{', '.join(map(text, elsewhere))}]::VARCHAR[], dataset)"
    total = store.query(f"SELECT count(*) AS n FROM images WHERE run_id = ? AND {skipped}", [run_id])[0]["n"]
    own = [name for name in row_columns() if name not in DECIDED]
    called = further_in(store, run_id)
    names = list(dict.fromkeys([*own, *called]))
    listed = ", ".join(f"{store.image_sql(name)} AS c{number}" for number, name in enumerate(names))
    source = SAMPLE.format(skipped=skipped) if total > limit else f"SELECT * FROM images WHERE run_id = ? AND {skipped}"
    parameters = [run_id, limit] if total > limit else [run_id]
    images = store.arrow(f"SELECT {listed} FROM ({source}) AS images {ORDER}", parameters)
    values = {name: images[f"c{number}"].to_pylist() for number, name in enumerate(names)}
    columns = {name: values[name] for name in own}
    further = {called[name]: values[name] for name in names if name not in columns}
    part = RowsPart(columns, further, total=total)
    add_scores(store, run_id, part)
    return part


def further_in(store: Store, run_id: str) -> dict[str, str]:
    """Return what the columns of a run that the store's schema does not name are called here."""
    told = store.query("SELECT DISTINCT name FROM further_columns WHERE run_id = ? ORDER BY name", [run_id])
    return further_names([row["name"] for row in told])


def add_scores(store: Store, run_id: str, part: RowsPart) -> None:
    """Give rows the scores that a run has of them, by dataset and key."""
    index = {pair: row for row, pair in enumerate(zip(part.columns["dataset"], part.columns["key"], strict=True))}
    for row in store.query("SELECT * FROM score_columns WHERE run_id = ? ORDER BY score", [run_id]):
        part.meanings[row["score"]] = Meaning(
            row["score"],
            row["description"] or "",
            row["unit"] or "",
            row["low"],
            row["high"],
            row["better_for_data"],
            row["better_for_models"],
            row["identity_id"],
        )
        _read_score(store, run_id, row["score"], part, index)


def _read_score(store: Store, run_id: str, name: str, part: RowsPart, index: Mapping[tuple[str, str], int]) -> None:
    table = store.arrow(SCORES, [run_id, name])
    numbers = np.full(len(part), np.nan)
    words: list[str | None] = [None] * len(part)
    reasons: dict[int, str] = {}
    for dataset, key, value, word, reason in zip(*(column.to_pylist() for column in table.columns), strict=True):
        row = index.get((dataset, key))
        if row is None:
            continue
        if value is not None:
            numbers[row] = value
        words[row] = word
        if value is None and word is None:
            reasons[row] = reason
    if table["text"].null_count < len(table):
        part.words[name] = words
    if table["value"].null_count < len(table) or name not in part.words:
        part.numbers[name] = numbers
    part.reasons[name] = reasons
