"""Which columns a run may have, as far as its config alone says: those of the data, and those that scores can write.

No file that a config names is opened for that, so that of a score of the user's own nothing is known.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from diptych.curate.missing_columns import what_config_lacks
from diptych.curate.sources.columns import carried_names
from diptych.data.column_names import DATA, describe_unknown_column, full_name
from diptych.data.schema import DATA_COLUMNS, DATA_FIELDS, FILE, MEMBER
from diptych.data.sql import Reference
from diptych.data.table import REASON
from diptych.scores import decoded
from diptych.scores.giving import PossibleColumns, possible_columns
from diptych.scores.tables import score_schema

if TYPE_CHECKING:
    from diptych.curate.config import CurateConfig

# Columns that a source adds by itself; a key of Parquet only where there is one.
OWN_COLUMNS = {"folder": (FILE,), "parquet": ("source_key",), "webdataset": (MEMBER,)}


class ColumnsAhead(NamedTuple):
    """The columns that there may be.

    Attributes:
        data: Names of those of the data.
        scores: Those of each score, by label; None where nothing tells.
    """

    data: Sequence[str]
    scores: Mapping[str, PossibleColumns | None]

    def problem(self, reference: Reference) -> str | None:
        """Return what is wrong with a column that SQL names, where upper and lower case are the same; else None."""
        first, *rest = (name.casefold() for name in reference)
        by_label = {label.casefold(): found for label, found in self.scores.items()}
        data = {name.casefold() for name in self.data}
        if rest and first == DATA:
            is_there = rest[0] in data
        elif rest and first in by_label:
            is_there = _may_have(by_label[first], rest[0])
        else:
            is_there = first in data or any(_may_have(found, first) for found in by_label.values())
        return None if is_there else self._unknown(reference)

    def known_types(self, named: Iterable[Reference]) -> Mapping[str, pa.Schema] | None:
        """Return the columns whose types are known, by label; None where SQL names one that may be another."""
        told = {label: found.declared if found else () for label, found in self.scores.items()}
        schemas = {DATA: pa.schema(DATA_FIELDS)} | {label: score_schema(found) for label, found in told.items()}
        by_label = {label.casefold(): schema.names for label, schema in schemas.items()}
        for reference in named:
            first, *rest = (name.casefold() for name in reference)
            if rest and first in by_label:
                is_known = rest[0] in by_label[first]
            else:
                owners = [label for label, names in by_label.items() if first in names]
                others = [found for label, found in self.scores.items() if label.casefold() not in owners]
                is_known = len(owners) == 1 and not any(_may_have(found, first) for found in others)
            if not is_known:
                return None
        return schemas

    def _unknown(self, reference: Reference) -> str:
        name = ".".join(reference[:2])
        made_by = what_config_lacks(name) if len(reference) == 1 else ""
        if made_by:
            return f"unknown column {name!r}: {made_by}"
        known = {label: found.names for label, found in self.scores.items() if found is not None}
        return describe_unknown_column(name, [*self.data, *_full_names(known)])


def columns_ahead(config: "CurateConfig") -> ColumnsAhead:
    """Return the columns of the run of a config.

    Raises:
        DataError: If two of its columns would have one name.
    """
    own = OWN_COLUMNS.get(config.source.kind, ())
    specs = {**{label: choice.spec for label, choice in config.scores.items()}, decoded.NAME: (decoded.NAME, {})}
    scores = {label: possible_columns(*spec) for label, spec in specs.items()}
    return ColumnsAhead([*DATA_COLUMNS, *own, *carried_names(config.source.columns, taken=own)], scores)


def _may_have(found: PossibleColumns | None, name: str) -> bool:
    return found is None or name == REASON or found.may_have(name)


def _full_names(known: Mapping[str, Collection[str]]) -> list[str]:
    return [full_name(label, name) for label, names in known.items() for name in sorted(names)]
