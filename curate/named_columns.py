"""What the SQL and the column names of a config can be seen to lack before any data is there: form, labels, columns.

SQL is looked at where DuckDB is installed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from diptych.data.column_names import DATA
from diptych.errors import ConfigError, DataError
from diptych.lookup import describe_unknown
from diptych.scores import DECODED

if TYPE_CHECKING:
    from diptych.curate.columns_ahead import ColumnsAhead
    from diptych.curate.config import CurateConfig
    from diptych.data.sql import Reference


Place = tuple[str | int, ...]  # keys that lead to something in a config


class NamedProblem(NamedTuple):
    """Something that cannot be meant.

    Attributes:
        place: Keys that lead to it in the config.
        value: What stands there.
        said: What is wrong with it.
    """

    place: Place
    value: str
    said: str


def problems_of(config: "CurateConfig") -> Iterator[NamedProblem]:
    """Yield what is wrong with the rules, the order of preference, the hashes and the exported columns."""
    labels = [*config.scores, DECODED]  # which every run has
    for number, name in enumerate(config.export.columns or ()):
        yield from _unknown_label(("export", "columns", number), name, labels)
    try:
        from diptych.curate.columns_ahead import columns_ahead
    except ImportError:  # the base install
        return
    ahead = cache(partial(columns_ahead, config))
    for number, name in enumerate(config.export.columns or ()):
        label, _, column = name.rpartition(".")
        if label in labels:
            yield from _unknown_columns([(label, column)], ("export", "columns", number), name, ahead)
    yield from _of_sql(config, labels, ahead)


def _unknown_label(place: Place, name: str, labels: list[str]) -> Iterator[NamedProblem]:
    label = name.rpartition(".")[0]
    if label and label not in labels:
        yield NamedProblem(place, name, describe_unknown("label", label, labels))


def _of_sql(config: "CurateConfig", labels: list[str], ahead: Callable[[], "ColumnsAhead"]) -> Iterator[NamedProblem]:
    from diptych.curate.conditions import TrialTable, check_expression, check_order
    from diptych.data.schema import DATA_COLUMNS
    from diptych.data.sql import column_references, connect

    data = [*DATA_COLUMNS, *config.source.columns]
    sure = {(name,) for name in data}
    trial = TrialTable(connect(), "", _schemas(config.source.columns))
    for place, given in _texts(config):
        text, is_order = quoted_label(given, labels), place[-1] == "prefer"
        try:
            (check_order if is_order else check_expression)(trial, text, where="")
        except ConfigError as error:
            yield NamedProblem(place, given, str(error).removeprefix(": ").strip())
            continue
        named = column_references(trial.con, f"SELECT 1 ORDER BY\n{text}\n" if is_order else f"SELECT (\n{text}\n)")
        problems = list(_unknown_heads(named, place, given, labels, [DATA, *data]))
        problems = problems or list(_unknown_columns(named - sure, place, given, ahead))
        yield from problems or _misfits(named, place, given, ahead)


def _misfits(
    named: Collection["Reference"], place: Place, text: str, ahead: Callable[[], "ColumnsAhead"]
) -> Iterator[NamedProblem]:
    """Yield what the types of the columns tell of a rule or an order, where those of all that it names are known."""
    from diptych.curate.conditions import check_condition, trial_table
    from diptych.curate.preference import check_preference
    from diptych.data.sql import connect

    try:
        schemas = ahead().known_types(named)
    except DataError:  # which is said of the columns themselves
        return
    if schemas is None or place[-1] not in ("where", "prefer"):
        return
    check = check_preference if place[-1] == "prefer" else check_condition
    try:
        check(trial_table(connect(), schemas), text, where="")
    except ConfigError as error:
        yield NamedProblem(place, text, str(error).removeprefix(": ").strip())


def _texts(config: "CurateConfig") -> Iterator[tuple[Place, str]]:
    """Yield what is SQL in a config."""
    yield from ((("select", number, "where"), rule.where) for number, rule in enumerate(config.select))
    if config.dedup is not None:
        yield ("dedup", "prefer"), config.dedup.prefer
        yield from [(("dedup", "perceptual"), config.dedup.perceptual)] if config.dedup.perceptual else []
        yield from ((("dedup", "variants", number), one) for number, one in enumerate(config.dedup.variants))


def _schemas(carried: tuple[str, ...]) -> Mapping[str, Any]:
    """Return what is known of the columns: names that are carried, which may be those of functions, such as user."""
    import pyarrow as pa

    return {DATA: pa.schema([(name, pa.null()) for name in dict.fromkeys(carried)])}


def quoted_label(text: str, labels: Collection[str]) -> str:
    """Return ``label.column`` in quotes, as a label may be any text; all other SQL as it is."""
    label, _, column = text.rpartition(".")
    return f'"{label}"."{column}"' if label in labels and column.isidentifier() else text


def _unknown_heads(
    named: Collection["Reference"], place: Place, text: str, labels: list[str], heads: list[str]
) -> Iterator[NamedProblem]:
    """Yield the labels that SQL names and nobody has; ``facts.x`` may be of a column that is a struct."""
    from diptych.curate.missing_columns import what_config_lacks

    known = {head.casefold() for head in (*labels, *heads)}
    for one in sorted(named):
        if len(one) > 1 and one[0].casefold() not in known:
            made_by = what_config_lacks(one[0])
            said = f"unknown label {one[0]!r}: {made_by}" if made_by else describe_unknown("label", one[0], labels)
            yield NamedProblem(place, text, said)


def _unknown_columns(
    named: Collection["Reference"], place: Place, text: str, ahead: Callable[[], "ColumnsAhead"]
) -> Iterator[NamedProblem]:
    """Yield the columns that SQL names and the run will not have."""
    for one in sorted(named):
        try:
            problem = ahead().problem(one)
        except DataError:  # which is said of the columns themselves
            return
        if problem is not None:
            yield NamedProblem(place, text, problem)
