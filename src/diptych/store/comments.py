"""What tables, views and columns say of themselves in the file: the docstrings of their rows, as COMMENT ON."""

import inspect
import re
from collections.abc import Iterator, Mapping

from diptych.data.sql import quoted, text
from diptych.store.image_rows import ImageRow, ScoreRow
from diptych.store.rows import TABLE_OF, ResultRow

IDENTITIES = "Everything that decides a number: metric, score, encoder and weights, preprocessing, reference, version."
OTHERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "identities": (IDENTITIES, {"identity_id": "First digits of its hash.", "identity": "The facts, as JSON."}),
    "schema_version": ("Which schema the file has.", {"version": "Its number."}),
    "v_images": ("One row per image: its run and dataset, text, expectation, settings, size, scores and place.", {}),
}
NUL = "\0"  # no SQL has one
ATTRIBUTE = re.compile(r"    (\w+): (.*)")


def comment_statements() -> Iterator[str]:
    """Yield the SQL that gives every table and view its comment, and every column of a table."""
    told = {table: _told(kind) for kind, table in TABLE_OF.items()}
    for name, (of_all, columns) in {**told, **OTHERS, **_of_views()}.items():
        what = "VIEW" if name.startswith("v_") else "TABLE"
        yield f"COMMENT ON {what} {name} IS {text(of_all)}"
        yield from (column_comment(name, column, said) for column, said in columns.items())


def _of_views() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return the same of the views whose columns are those of tables side by side."""
    run, identity = {"run": "Name of the run."}, {"identity": OTHERS["identities"][1]["identity"]}
    scores, results = ({**run, **columns_told(kind)} for kind in (ScoreRow, ResultRow))
    images = columns_told(ImageRow)
    return {
        "v_scores": (
            "Every score of every image with the facts of the image; name the run and the dataset.",
            {**images, **scores},
        ),
        "v_results": ("Every number with the run that it is of and the identity behind it.", {**results, **identity}),
    }


def column_comment(table: str, column: str, said: str) -> str:
    """Return the SQL that gives a column its comment."""
    return f"COMMENT ON COLUMN {table}.{quoted(column)} IS {text(' '.join(said.replace(NUL, ' ').split()))}"


def columns_told(kind: type) -> Mapping[str, str]:
    """Return what the docstring of a row says of each of its columns."""
    return _told(kind)[1]


def _told(kind: type) -> tuple[str, Mapping[str, str]]:
    """Return what a docstring says of a row as a whole, and of each of its attributes."""
    whole, _, attributes = inspect.cleandoc(kind.__doc__ or "").replace("``", "").partition("\n\nAttributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        if match := ATTRIBUTE.fullmatch(line):
            name = match[1]
            found[name] = match[2]
        elif name:
            found[name] += f" {line.strip()}"
    return " ".join(whole.split()), found
