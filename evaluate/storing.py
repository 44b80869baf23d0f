"""From the rows of an evaluation to what the store has of them: datasets, images, scores and their columns."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from diptych.data.column_names import DATA
from diptych.data.table import KEY
from diptych.evaluate.collected import Findings, ImageValues
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.store.images import PLACE, ImageColumns, image_columns
from diptych.store.store import DatasetRow, ScoreColumn


def dataset_row(run_id: str, rows: ScoredRows) -> DatasetRow:
    """Return the row of a dataset."""
    dataset = rows.dataset
    name = str(dataset.manifest.get("name") or "")
    place = dataset.address
    return DatasetRow(
        run_id, rows.label, rows.role, place, name, dataset.fingerprint, len(rows), dict(rows.prompt_kinds)
    )


def images_of_rows(run_id: str, rows: ScoredRows) -> ImageColumns:
    """Return every column of the data that the store can hold."""
    names = [column.name for column in rows.table.columns.values() if column.label == DATA]
    columns, places = image_columns(rows.table.read(names)), rows.table.places()
    own = columns.own
    for name in PLACE:
        own = own.append_column(name, places[name])
    return ImageColumns(_belonging(run_id, rows.label, own), columns.more)


def score_tables(run_id: str, rows: ScoredRows, found: Findings) -> Iterator[pa.Table]:
    """Yield the rows of each column of a score, and of each that the evaluation found."""
    for name in rows.scored:
        column = rows.score(name)
        yield _score_table(run_id, rows, name, ImageValues(column.values, column.texts, column.reasons))
    for own in found.image_columns:
        if own.dataset == rows.label:
            yield _score_table(run_id, rows, own.name, own.values)


def _score_table(run_id: str, rows: ScoredRows, name: str, values: ImageValues) -> pa.Table:
    table = pa.table(
        {
            "key": rows.table.column(KEY),
            "score": pa.array([name] * len(rows), pa.string()),
            "value": pa.array(values.numbers, from_pandas=True),
            "text": pa.array(values.texts or [None] * len(rows), pa.string()),
            "reason": pa.array(values.reasons, pa.string()),
        }
    )
    return _belonging(run_id, rows.label, table)


def _belonging(run_id: str, label: str, table: pa.Table) -> pa.Table:
    count = table.num_rows
    table = table.append_column("run_id", pa.array([run_id] * count, pa.string()))
    return table.append_column("dataset", pa.array([label] * count, pa.string()))


def stored_columns(run_id: str, rows: Mapping[str, ScoredRows], found: Findings) -> Iterator[ScoreColumn]:
    """Yield what each column means, with the identity behind it."""
    columns = {name: each.score(name) for each in rows.values() for name in each.scored}
    for name, column in columns.items():
        facts = column.facts
        identity = found.identify(column.identity)
        yield ScoreColumn(
            run_id,
            name,
            str(facts["description"]),
            str(facts.get("unit") or ""),
            facts.get("low"),
            facts.get("high"),
            facts.get("better_for_data"),
            facts.get("better_for_models"),
            identity,
        )
    for name, own in {own.name: own for own in found.image_columns}.items():
        identity = found.identify(own.identity)
        yield ScoreColumn(run_id, name, own.description, "", None, None, None, None, identity)
