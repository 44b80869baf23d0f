"""The columns of the scores of a config, as far as they are known, and what a config may call one of them.

Loads where only the base install is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from diptych.data.column_names import find_name, full_name
from diptych.errors import ConfigError
from diptych.scores import Column, Score
from diptych.scores.giving import PossibleColumns

# The metric that the mean of a column is, see ``score_names.METRICS``, and the column: a config may say either.
COLUMN_OF_METRIC = {"clip_score": "clip_similarity", "object_accuracy": "object_correct"}

Columns = Mapping[str, Column]


def score_columns(scores: Mapping[str, Score]) -> dict[str, Column]:
    """Return the columns of scores by their names, ``label.column``."""
    return {full_name(label, column.name): column for label, score in scores.items() for column in score.columns}


@dataclass(frozen=True)
class ScoreColumns:
    """The columns of the scores of a config.

    Attributes:
        known: By their names.
        others: Of scores of which no column is known for certain, as before their models are there: what they may have
            by their labels; None where nothing tells.
    """

    known: Columns
    others: Mapping[str, PossibleColumns | None] = field(default_factory=dict)

    @property
    def possible(self) -> list[str]:
        """Names of columns that may be there."""
        told = {label: sorted(found.names) for label, found in self.others.items() if found is not None}
        return [full_name(label, name) for label, names in told.items() for name in names]

    def may_have(self, name: str) -> bool:
        """Return whether a name may be a column of a score of which none is known."""
        label, _, column = name.rpartition(".")
        asked = [self.others[label]] if label in self.others else [] if label else list(self.others.values())
        return any(found is None or found.may_have(column) for found in asked)


def find_score(where: str, name: str, columns: ScoreColumns) -> str:
    """Return the full name of the score column that a name stands for; the name itself where only a model knows.

    Args:
        where: The key that has the name, with which the message begins.
        name: ``label.column``, or ``column``; the metric that its mean is will do.
        columns: Those that there are.

    Raises:
        ConfigError: If there is none, or several labels have it.
    """
    label, dot, column = name.rpartition(".")
    meant = f"{label}{dot}{COLUMN_OF_METRIC.get(column, column)}"
    given = meant if meant != name and (_is_there(meant, columns) or columns.may_have(meant)) else name
    try:
        return find_name(given, columns.known, what="score column", where=f"{where}: ")
    except ConfigError:
        if columns.may_have(given):
            return given
        return find_name(given, [*columns.known, *columns.possible], what="score column", where=f"{where}: ")


def _is_there(name: str, columns: ScoreColumns) -> bool:
    return any(name in (one, one.rpartition(".")[2]) for one in columns.known)
