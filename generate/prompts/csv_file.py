"""Prompts of the user: a table with a header line, separated by commas (or by tabs in a .tsv)."""

import csv
import io
from pathlib import Path

from diptych.assets import file_sha256
from diptych.data.checks import NOTHING, parse_checks
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, checked, read_text
from diptych.lookup import describe_unknown


def csv_file(
    *,
    path: Path,
    prompt_column: str = "prompt",
    id_column: str | None = None,
    category_column: str | None = None,
    negative_column: str | None = None,
    checks_column: str | None = None,
) -> PromptSet:
    """Return the prompts of a table.

    Args:
        path: The file; one that ends in ``.tsv`` has tabs.
        prompt_column: Name of the column with the text.
        id_column: Of the ids; None numbers the rows from 1.
        category_column: Of the categories; None leaves them empty.
        negative_column: Of the prompts' own negative prompts; an empty field is none. None: there are none.
        checks_column: Of JSON as the key ``checks`` of a JSON Lines file has it; None: there are none.

    Raises:
        DataError: If the file cannot be read, lacks a column or has a broken row.
    """
    text = read_text(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    prompts = []
    try:
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = table.fieldnames or []
        wanted = (prompt_column, id_column, category_column, negative_column, checks_column)
        for name in wanted:
            if name is not None and name not in names:
                raise DataError(f"{path}: {describe_unknown('column', name, names)}")
        for number, row in enumerate(table, start=1):
            if None in row or None in row.values():
                line = f"row {number} (line {table.line_num})"
                raise DataError(f"{path}: {line} has not the {len(names)} fields of the header")
            fields = [row[name] if name is not None else None for name in wanted]
            prompt, own_id, category, negative, checks = fields
            where = f"{path}: row {number}"
            prompts.append(
                Prompt(
                    own_id or str(number),
                    prompt or "",
                    category or "",
                    parse_checks(checks, where) if checks else NOTHING,
                    negative or None,
                )
            )
    except csv.Error as error:
        raise DataError(f"{path}: after line {table.line_num}: {error}") from error
    return PromptSet(checked(prompts, path), path.name, "", file_sha256(path))
