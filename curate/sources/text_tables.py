"""Tables of text: csv, tsv, json, jsonl and plain lists of URLs, also packed, row by row as they stand there."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.column_types import as_text, column_of_json
from diptych.curate.sources.columns import caption_text, check_columns, clean_text, first_text
from diptych.curate.sources.contract import TABLE_ROWS
from diptych.curate.sources.json_facts import said_under
from diptych.curate.sources.json_tables import are_json_lines, rows_of_json
from diptych.curate.sources.marked_text import UTF8
from diptych.curate.sources.odd_csv import MAX_PROBLEM, CsvShape, OddRow, has_open_quote, odd_rows, too_long, unparsed
from diptych.curate.sources.part_columns import name_there
from diptych.curate.sources.text_files import line_blocks, opened_text, refuse_other_bytes, refuse_other_encodings
from diptych.data.text_records import delimiter_problem
from diptych.errors import DataError

CSV_BLOCK_BYTES = 64 * 2**20  # a field may not be longer than this

# Rows under the names of the file, and for each why it is unusable (or None for all). Apart, because a user's table may
# have a column of any name.
TablePart = tuple[pa.Table, list[str | None] | None]


@dataclass(frozen=True)
class TextTable:
    """A file of text that holds a table.

    Attributes:
        file: Its path.
        url_column: The column that must be there.
        texts: The columns to read that are text, whatever they hold, and for each the key of the source that says it.
        carried: Further columns to read.
        types: Declared types of carried columns.
        column_names: Names of a csv without a header line.
        quote: Whether csv fields may be quoted with ".
        caption_list: See ``caption_text``.
    """

    file: str
    url_column: str
    texts: Mapping[str, str]
    carried: tuple[str, ...]
    types: Mapping[str, str]
    column_names: tuple[str, ...] | None
    quote: bool
    caption_list: str

    def csv(self, delimiter: str) -> Iterator[TablePart]:
        """Yield the rows of a csv with a column of URLs; those that cannot be parsed come last."""
        header = self.header(delimiter)
        refuse_other_bytes(self.file)
        url = name_there(self.url_column, header)
        if self.quote and url is not None and self._has_open_quote(delimiter):
            shape = CsvShape(len(header), header.index(url), delimiter)
            yield from self._odd_csv(header, shape)
            return
        problems, cut = list[str](), list[str]()

        def remember(row: pa_csv.InvalidRow) -> str:
            problems.append(unparsed(row.text, row.actual_columns, row.expected_columns))
            return "skip"

        names = list(self.column_names) if self.column_names else None
        parsing = pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if self.quote else False,
            newlines_in_values=self.quote,
            invalid_row_handler=remember,
        )
        with opened_text(self.file, cut.append) as handle:
            yield from ((table, None) for table in _csv_tables(handle, parsing, names, header))
        yield from _without_values([*problems, *map(_ends_here, cut)], header)

    def _odd_csv(self, header: list[str], shape: CsvShape) -> Iterator[TablePart]:
        """Yield the rows of a csv with a quote that is not closed, as ``csv`` does."""
        problems, cut = list[str](), list[str]()
        with opened_text(self.file, cut.append) as handle:
            found = islice(odd_rows(handle, shape, CSV_BLOCK_BYTES), 0 if self.column_names else 1, None)
            rows = _whole(found, problems)
            for some in in_tables(rows, lambda row: sum(map(len, row)), list):
                columns = zip(*some, strict=True)
                arrays = [
                    pa.array([one.encode("latin-1") or None for one in column], pa.binary()) for column in columns
                ]
                yield pa.table(arrays, names=header), None
        yield from _without_values([*problems, *map(_ends_here, cut)], header)

    def json(self) -> Iterator[TablePart]:
        """Yield the rows of a json, which is read whole; of JSON lines that are called so, those of a jsonl."""
        refuse_other_bytes(self.file)
        cut = list[str]()
        with opened_text(self.file, cut.append) as handle:
            data = handle.read()
        if are_json_lines(data):
            yield from self.jsonl()
            return
        if cut:
            raise EOFError(cut[0])
        value = rows_of_json(json.loads(data), self.url_column, self.file)
        yield from self._objects(value[start : start + TABLE_ROWS] for start in range(0, len(value), TABLE_ROWS))

    def jsonl(self) -> Iterator[TablePart]:
        """Yield the rows of a jsonl; a line that is no object is a row with a problem."""
        cut = list[str]()
        with opened_text(self.file, cut.append) as handle:
            blocks = line_blocks(handle, self.file)
            yield from self._objects([_parse_line(line) for line in lines] for lines in blocks)
        for why in cut:
            yield self._without_facts(1), [_ends_here(why)]

    def txt(self) -> Iterator[TablePart]:
        """Yield a URL for each line, under the name ``url``."""
        cut = list[str]()
        with opened_text(self.file, cut.append) as handle:
            for lines in line_blocks(handle, self.file):
                urls = [line.decode().strip() for line in lines]
                yield pa.table({"url": pa.array(urls, pa.string())}), None
        for why in cut:
            yield pa.table({"url": pa.nulls(1, pa.string())}), [_ends_here(why)]

    def _objects(self, blocks: Iterable[list[Any]]) -> Iterator[TablePart]:
        """Yield tables of the wanted keys, null where an object lacks one.

        What is no object becomes a row with a problem. Only the URL must be there, in one of the first objects.
        """
        is_checked = False
        for block in blocks:
            known = {name: None for row in block if isinstance(row, dict) for name in row}
            if known and not is_checked:
                if name_there(self.url_column, known) is None:
                    check_columns({self.url_column: "url_column"}, list(known), self.file)
                is_checked = True
            rows, problems = zip(*(self._values(row) for row in block), strict=True)
            columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in self.texts}
            for name in self.carried:
                columns[name] = column_of_json([row.get(name) for row in rows], name, self.types, self.file)
            yield pa.table(columns), list(problems)

    def _without_facts(self, count: int) -> pa.Table:
        """Return rows of nulls, which decide no type."""
        texts = {name: pa.nulls(count, pa.string()) for name in self.texts}
        carried = {name: column_of_json([None] * count, name, self.types, self.file) for name in self.carried}
        return pa.table({**texts, **carried})

    def _values(self, row: Any) -> tuple[dict[str, Any], str | None]:
        """Return the wanted values of an object, and the problem of what is no object."""
        try:
            if not isinstance(row, dict):
                return {}, clean_text(f"bad_row: {str(row)[:MAX_PROBLEM]}")
            values = {name: said_under(row, name) for name in self.carried}
            for value in values.values():
                as_text(value)
            ways = {self.url_column: "first"}  # of several URLs one is asked for
            texts = {name: _text(said_under(row, name), ways.get(name, self.caption_list)) for name in self.texts}
            return {**values, **texts}, None
        except RecursionError:  # what can just be read may be too deep to be written
            return {}, "bad_row: nested too deeply"

    def _has_open_quote(self, delimiter: str) -> bool:
        with opened_text(self.file) as handle:
            return has_open_quote(handle, delimiter)

    def header(self, delimiter: str) -> list[str]:
        """Return the names of the columns of a csv: those given, else those of the first line that is not empty.

        Raises:
            DataError: If it is the header of a csv with another delimiter.
        """
        with opened_text(self.file) as handle:
            refuse_other_encodings(handle, self.file)  # also where no line is read
            if self.column_names:
                return list(self.column_names)
            texts = io.TextIOWrapper(handle, UTF8, "replace", newline="")  # lines may end in CR alone
            rows = csv.reader(texts, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE)
            header = next((row for row in rows if row), [])
        _check_delimiter(header, self.url_column, delimiter, self.file)
        return header


def _text(value: Any, lists: str) -> str | None:
    if isinstance(value, list) or (isinstance(value, dict) and first_text(value)):
        return caption_text(value, lists)
    return None if isinstance(value, float) and math.isnan(value) else as_text(value)


def _csv_tables(
    handle: IO[bytes], parsing: pa_csv.ParseOptions, names: list[str] | None, header: list[str]
) -> Iterator[pa.Table]:
    """Yield everything as bytes: a caption of digits is a caption, and "NA" is none that is missing."""
    reading = pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=CSV_BLOCK_BYTES)
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.binary()), strings_can_be_null=True, null_values=[""]
    )
    try:
        for batch in pa_csv.open_csv(handle, reading, parsing, converting):
            table = pa.Table.from_batches([batch])
            yield from (table.slice(start, TABLE_ROWS) for start in range(0, table.num_rows, TABLE_ROWS))
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):  # nothing at all, or a header without an end of line
            return
        if "straddling" not in str(error):
            raise
        raise ValueError(too_long(CSV_BLOCK_BYTES)) from error


def _whole(found: Iterable[OddRow], problems: list[str]) -> Iterator[list[str]]:
    """Yield those of the rows that are some, and add the problems of the others to ``problems``."""
    for row in found:
        if isinstance(row, str):
            problems.append(row)
        else:
            yield row


def _ends_here(why: str) -> str:
    return f"bad_row: the file ends here: {why}"[:MAX_PROBLEM]


def _without_values(problems: Sequence[str], header: Sequence[str]) -> Iterator[TablePart]:
    """Yield a row without values for each problem."""
    for some in in_tables(problems, len, list):
        yield pa.table({name: pa.nulls(len(some), pa.binary()) for name in header}), [*some]


def _check_delimiter(header: list[str], wanted: str, delimiter: str, file: str) -> None:
    """Refuse a table whose only column is the header of one with another delimiter.

    Raises:
        DataError: If it is; says which.
    """
    if header[:1] != [wanted] and (problem := delimiter_problem(header, delimiter)):
        raise DataError(f"{file}: {problem}")


def _parse_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line.decode().strip()
