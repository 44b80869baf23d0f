"""The view of one row per image: all that is known of it as columns, its scores too, each with its run and dataset.

A score is a column ``label__column``, as in an export. Numbers of two identities are never one column: where runs of a
store have different ones under one name, the name has the identity's id behind it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from diptych.data.column_names import export_name
from diptych.data.sql import quoted, text
from diptych.store.images import OWN, PLACE, column_sql

NAME = "v_images"


class StoredScore(NamedTuple):
    """A score column of a store.

    Attributes:
        score: Its name, ``label.column``.
        identity_id: Of what decides its values.
        description: What it says.
        is_text: Whether its values are words.
    """

    score: str
    identity_id: str
    description: str
    is_text: bool


class ViewColumn(NamedTuple):
    """A column of the view: its name, its SQL over ``images``, ``runs``, ``datasets`` and ``scored``, what it says."""

    name: str
    sql: str
    comment: str


def view_columns(
    further: Mapping[str, str], scores: Sequence[StoredScore], comments: Mapping[str, str]
) -> list[ViewColumn]:
    """Return the columns of the view in their order.

    Args:
        further: Name -> type in SQL of what images have in ``more``.
        scores: Of all runs.
        comments: What each column of ``images`` says.
    """
    first = [ViewColumn("run", "runs.name", "Name of the run"), ViewColumn("dataset", "images.dataset", "Label in it")]
    own = [ViewColumn(name, f"images.{name}", comments.get(name, "")) for name in OWN]
    place = [ViewColumn(name, f"images.{name}", comments.get(name, "")) for name in PLACE]
    place = [ViewColumn("path", "datasets.path", "Directory of the dataset, in whose data the shard lies"), *place]
    place.append(ViewColumn("run_id", "images.run_id", "Id of the run"))
    found: dict[str, ViewColumn] = {}
    for column in [*first, *own, *_further(further), *_scores(scores), *place]:
        name, number = column.name, 1
        while name.casefold() in found:  # SQL has no two names that differ in case alone
            number += 1
            name = f"{column.name}_{number}"
        found[name.casefold()] = column._replace(name=name)
    return list(found.values())


def view_sql(columns: Sequence[ViewColumn], scores: Sequence[StoredScore]) -> str:
    """Return the SQL that makes the view, or makes it anew."""
    listed = ",\n    ".join(f"{column.sql} AS {quoted(column.name)}" for column in columns)
    joined = "".join(f"\nLEFT JOIN {_values(number, each)}" for number, each in enumerate(scores))
    return f"""CREATE OR REPLACE VIEW {NAME} AS SELECT
    {listed}
FROM images JOIN runs USING (run_id) LEFT JOIN datasets ON datasets.run_id = images.run_id
    AND datasets.dataset = images.dataset{joined}"""


def _further(further: Mapping[str, str]) -> list[ViewColumn]:
    return [ViewColumn(name or "(no name)", column_sql(name, further), "Brought along by the data") for name in further]


def _scores(scores: Sequence[StoredScore]) -> list[ViewColumn]:
    names = [each.score for each in scores]
    found = []
    for number, each in enumerate(scores):
        label, _, column = each.score.rpartition(".")
        name = export_name(label, column) if label else column
        name += f"__{each.identity_id}" if names.count(each.score) > 1 else ""
        found.append(ViewColumn(name, f"score_{number}.value", each.description))
    return found


def _values(number: int, score: StoredScore) -> str:
    """Return the join of the values of a score: of the runs whose score of that name has that identity."""
    value = "scores.text" if score.is_text else "scores.value"
    return f"""(SELECT run_id, dataset, key, {value} AS value FROM scores
    JOIN score_columns USING (run_id, score) WHERE score = {text(score.score)}
    AND identity_id = {text(score.identity_id)}) AS score_{number}
    ON score_{number}.run_id = images.run_id AND score_{number}.dataset = images.dataset
    AND score_{number}.key = images.key"""
