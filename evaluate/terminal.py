"""The results of a store as rows and as a small table of text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

from diptych.addresses import Address
from diptych.errors import StoreError
from diptych.intervals import is_resolved
from diptych.lookup import describe_unknown
from diptych.progress.wording import quantity
from diptych.store.difference_words import equivalence_text, p_value_text, two_digits
from diptych.store.how_compared import how_compared
from diptych.store.rows import HOW_COMPARED
from diptych.store.store import Store

TABLES = {"results": "metric, dataset, groups, identity_id", "differences": "metric, dataset, a, b, groups"}
TABLES |= {"spreads": "metric, dataset, CAST(groups AS VARCHAR)", "audits": "dataset, groups, attribute"}
UNRESOLVED = "not resolved below"
CAUTION = "caution"  # heads why there is no value, or what it rests on less than it seems
WHERE_THERE_IS_ONE = (UNRESOLVED, CAUTION)  # columns that a table has only where a row has something in them


def read_results(path: Address, run: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of ``runs``, ``results``, ``differences`` and ``audits``, in a fixed order.

    Args:
        path: The store.
        run: Name or id of a run; None takes all.

    Raises:
        StoreError: If there is no such store or run.
    """
    with Store.open(path, read_only=True) as store:
        runs = store.query("SELECT run_id, name, fingerprint FROM runs ORDER BY run_id")
        if run is not None:
            known = {row["run_id"] for row in runs} | {row["name"] for row in runs}
            if run not in known:
                raise StoreError(f"{path}: {describe_unknown('run', run, known)}")
            runs = [row for row in runs if run in (row["run_id"], row["name"])]
        ids = [row["run_id"] for row in runs]
        chosen = "list_contains(?::VARCHAR[], run_id)"
        tables = {
            table: store.query(f"SELECT * FROM {table} WHERE {chosen} ORDER BY run_id, {order}", [ids])
            for table, order in TABLES.items()
        }
    return {"runs": runs, **tables}


def format_results(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield the lines of a table per kind of number; each row says its run where there are several.

    The last column, of cautions, is there where a number has one.
    """
    if not found["runs"]:
        yield "The store holds no run."
    runs = {row["run_id"]: f"{row['name']}: " if len(found["runs"]) > 1 else "" for row in found["runs"]}
    for table, header, cells in (
        ("results", ("metric", "of", "value [95 % interval]", "n", "unit", CAUTION), _result_cells),
        (
            "differences",
            ("difference", "of", "value [95 % interval]", "pairs", "adjusted p", UNRESOLVED, CAUTION),
            _difference_cells,
        ),
        ("spreads", ("spread of", "of", "between prompts", "within prompts", "ICC", "images"), _spread_cells),
        ("audits", ("share of", "in", "share [95 % interval]", "images", "by chance", CAUTION), _audit_cells),
    ):
        if found.get(table):
            rows = [(name, runs[row["run_id"]] + of, *rest) for row, (name, of, *rest) in cells(found[table])]
            yield from text_table(header, rows)


RowCells = Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]


def _result_cells(rows: Sequence[Mapping[str, Any]]) -> RowCells:
    names, said = _names(rows), Counter(map(_images, rows))
    for row in rows:
        counted = f"{row['n']:,}" + (f" ({row['n_unscored']:,} unscored)" if row["n_unscored"] else "")
        why = (row["reason"], row["note"]) if row["reason"] else ()
        told = "; ".join(filter(None, (": ".join(filter(None, why)), row["caution"])))
        name = names[row["metric"], row["identity_id"]]
        of = _of(row, rows, is_one=said[_images(row)] == 1)
        yield row, (name, of, number_with_interval(row), counted, row["unit"], told)


def _difference_cells(rows: Sequence[Mapping[str, Any]]) -> RowCells:
    for row in rows:
        pairs = f"{row['n']:,} of {quantity(row['n_clusters'], 'prompt')}"
        of = f"{_dataset(row, rows)}{_difference(row)}"
        p_value = "-" if row["reason"] else f"p {p_value_text(row['p_adjusted'])}"
        same = [] if row["margin"] is None else [equivalence_text(row["margin"], row["p_equivalence"])]
        p_value = "; ".join([p_value, *same])
        yield row, (row["metric"], of, number_with_interval(row), pairs, p_value, _power(row), _told(row))


def _spread_cells(rows: Sequence[Mapping[str, Any]]) -> RowCells:
    for row in rows:
        icc = "-" if row["icc"] is None else f"{row['icc']:.2f}"
        images = f"{row['n']:,} of {quantity(row['n_clusters'], 'prompt')}"
        levels = (f"{row['variance_between']:.4g}", f"{row['variance_within']:.4g}")
        yield row, (row["metric"], _of(row, rows), *levels, icc, images)


def _audit_cells(rows: Sequence[Mapping[str, Any]]) -> RowCells:
    for row in rows:
        why = ", ".join(f"{count:,} {reason}" for reason, count in (row.get("unjudged") or {}).items())
        unjudged = f" ({row['n_unscored']:,} unjudged{f': {why}' if why else ''})" if row["n_unscored"] else ""
        images = f"{row['k']:,} of {row['n']:,}{unjudged}"
        band = "-" if row["null_low"] is None else f"{row['null_low']:.3f} to {row['null_high']:.3f}"
        share = number_with_interval({**row, "value": row["share"]})
        yield row, (row["attribute"] or "-", _of(row, rows), share, images, band, _told(row))


def _power(row: Mapping[str, Any]) -> str:
    """Return below which true difference these images often do not tell two apart; nothing where they do."""
    least = row["detectable"]
    if least is None or is_resolved(row["ci_low"], row["ci_high"], row["p_adjusted"]):
        return ""
    return two_digits(least)


def _told(row: Mapping[str, Any]) -> str:
    return "; ".join(filter(None, (row["reason"], row["caution"])))


def number_with_interval(row: Mapping[str, Any]) -> str:
    """Return ``value [low, high]``; a dash where there is no value.

    >>> number_with_interval({"value": 0.25, "ci_low": 0.1, "ci_high": None})
    '0.25'
    >>> number_with_interval({"value": 25.125, "ci_low": 24.0, "ci_high": 26.25})
    '25.125 [24, 26.25]'
    >>> number_with_interval({"value": -0.0, "ci_low": -0.5, "ci_high": -0.0})
    '0 [-0.5, 0]'
    """
    if row["value"] is None:
        return "-"
    if row["ci_low"] is None or row["ci_high"] is None:
        return f"{row['value']:z.5g}"
    return f"{row['value']:z.5g} [{row['ci_low']:z.5g}, {row['ci_high']:z.5g}]"


def _names(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return (metric, identity_id) -> name, with the id in it where a metric was made in two ways."""
    keys = {(row["metric"], row["identity_id"]) for row in results}
    metrics = [metric for metric, _ in keys]
    return {key: key[0] if metrics.count(key[0]) == 1 else f"{key[0]} ({key[1]})" for key in keys}


def _images(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a number and its images are called, but for the columns that its groups are of."""
    return row["metric"], row["identity_id"], row["dataset"], _values(row["groups"])


def _of(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, is_one: bool = True) -> str:
    """Return which images a number is of: their dataset, or their group, with the dataset where there are several.

    Where another number of the same metric is of a group that is called the same, the columns are named, too.
    """
    columns = "" if is_one else f" ({', '.join(map(printable, row['groups']))})"
    return f"{_dataset(row, rows)}{_values(row['groups'])}{columns}" if row["groups"] else str(row["dataset"])


def _dataset(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    return f"{row['dataset']}: " if len({other["dataset"] for other in rows}) > 1 else ""


def _values(groups: Mapping[str, Any]) -> str:
    texts = ["none" if value is None else printable(str(value)) for value in groups.values()]
    return ", ".join(text or '""' for text in texts)


def _difference(row: Mapping[str, Any]) -> str:
    """Return which two are compared, over which images, and how they are not quite what they were."""
    cut = {name: value for name, value in row["groups"].items() if name not in HOW_COMPARED}
    parts = [*([_values(cut)] if cut else []), *how_compared(row["groups"], row["a"], row["b"])]
    return f"{row['a']} - {row['b']}" + (f" ({', '.join(parts)})" if parts else "")


def printable(text: str) -> str:
    r"""Return text that cannot move the cursor, colour the terminal or turn the writing round.

    >>> printable("red\x1b[31m hat\u202e")
    'red?[31m hat?'
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, with an empty one behind it; some columns only where a row has something there."""
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    kept = [header[at] not in WHERE_THERE_IS_ONE or any(row[at] for row in cells[1:]) for at in range(len(header))]
    cells = [list(compress(row, kept)) for row in cells]
    widths = [min(max(len(row[column]) for row in cells), 60) for column in range(len(cells[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [*lines, ""]
