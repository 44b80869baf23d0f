"""What the SQL and the column names of a config can be seen to lack before any data is there: its form, and its labels.

Which columns a table has, and which a score writes, is not known then. SQL is looked at where DuckDB is installed.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from diptych.data.column_names import DATA
from diptych.errors import ConfigError
from diptych.lookup import describe_unknown
from diptych.scores import DECODED

if TYPE_CHECKING:
    from diptych.curate.conditions import TrialTable
    from diptych.curate.config import CurateConfig


class NamedProblem(NamedTuple):
    """Something that cannot be meant.

    Attributes:
        place: Keys that lead to it in the config.
        value: What stands there.
        said: What is wrong with it.
    """

    place: tuple[str | int, ...]
    value: str
    said: str


def problems_of(config: "CurateConfig") -> Iterator[NamedProblem]:
    """Yield what is wrong with the rules, the order of preference, the hashes and the exported columns."""
    labels = [*config.scores, DECODED]  # which every run has
    for number, name in enumerate(config.export.columns or ()):
        yield from _unknown_label(("export", "columns", number), name, labels)
    yield from _of_sql(config, labels)


def _unknown_label(place: tuple[str | int, ...], name: str, labels: list[str]) -> Iterator[NamedProblem]:
    label = name.rpartition(".")[0]
    if label and label not in labels:
        yield NamedProblem(place, name, describe_unknown("label", label, labels))


def _of_sql(config: "CurateConfig", labels: list[str]) -> Iterator[NamedProblem]:
    try:
        from diptych.curate.conditions import TrialTable, check_expression, check_order
        from diptych.data.schema import DATA_COLUMNS
        from diptych.data.sql import connect
    except ImportError:  # the base install
        return
    heads = [DATA, *DATA_COLUMNS, *config.source.columns]
    trial = TrialTable(connect(), "", _schemas(config.source.columns))
    texts: list[tuple[tuple[str | int, ...], str, Any]] = [
        (("select", number, "where"), rule.where, check_expression) for number, rule in enumerate(config.select)
    ]
    if config.dedup is not None:
        texts.append((("dedup", "prefer"), config.dedup.prefer, check_order))
        texts += (
            [(("dedup", "perceptual"), config.dedup.perceptual, check_expression)] if config.dedup.perceptual else []
        )
        texts += [(("dedup", "variants", at), one, check_expression) for at, one in enumerate(config.dedup.variants)]
    for place, text, check in texts:
        try:
            check(trial, quoted_label(text, labels), where="")
        except ConfigError as error:
            yield NamedProblem(place, text, str(error).removeprefix(": ").strip())
        else:
            yield from _unknown_heads(trial, place, text, labels, heads)


def _schemas(carried: tuple[str, ...]) -> Mapping[str, Any]:
    """Return what is known of the columns: names that are carried, which may be those of functions, such as user."""
    import pyarrow as pa

    return {DATA: pa.schema([(name, pa.null()) for name in dict.fromkeys(carried)])}


def quoted_label(text: str, labels: Collection[str]) -> str:
    """Return ``label.column`` in quotes, as a label may be any text; all other SQL as it is."""
    label, _, column = text.rpartition(".")
    return f'"{label}"."{column}"' if label in labels and column.isidentifier() else text


def _unknown_heads(
    trial: "TrialTable", place: tuple[str | int, ...], text: str, labels: list[str], heads: list[str]
) -> Iterator[NamedProblem]:
    """Yield the labels that SQL names and nobody has; ``facts.x`` may be of a column that is a struct."""
    from diptych.data.sql import column_references

    if quoted_label(text, labels) != text:
        return
    query = f"SELECT 1 ORDER BY\n{text}\n" if place[-1] == "prefer" else f"SELECT (\n{text}\n)"
    known = {head.casefold() for head in (*labels, *heads)}
    for named in sorted(column_references(trial.con, query)):
        if len(named) > 1 and named[0].casefold() not in known:
            yield NamedProblem(place, text, describe_unknown("label", named[0], labels))
