"""Odd tables of URLs and captions: csv, tsv, json, jsonl and lists, as programs and people write them."""

import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from odd_inputs.case import BLANK, OddCase, Pair, some_text
from odd_inputs.typed_columns import parquet_table

ENDS = ("\n", "\n", "\r\n", "\r")
URLS = (
    "http://a.example/{}.jpg",
    "https://ü.example/ñ {}.png",
    'http://a.example/{}?x=1,2&amp;y="3"#z',
    "//host/{}.png",
    "ftp://h/{}",
    "data:image/png;base64,AAAA{}",
    "not a url {}",
)
EXTRA = {"n": int, "x": float, "same": lambda number: "same", "empty": lambda number: None}


class TableMaker:
    """Makes tables of one format.

    Attributes:
        told: What is odd.
        options: Further settings of the source.
        pairs: What is right of the rows.
        reasons: What is right of lines that are no rows.
    """

    def __init__(self, choice: random.Random) -> None:
        """Begin with nothing."""
        self.choice = choice
        self.told: list[str] = []
        self.options: dict[str, Any] = {}
        self.pairs: Counter[Pair] = Counter()
        self.reasons: Counter[str] = Counter()
        self.url, self.caption = choice.choice((("url", "caption"), ("URL", "TEXT"), ("image url", "alt, text")))
        if self.url != "url":
            self.options |= {"url_column": self.url, "caption_column": self.caption}

    def rows(self, first: int, *, plain: bool = False) -> list[dict[str, Any]]:
        """Return rows, and count them as right.

        Args:
            first: The number of the first.
            plain: Whether neither quotes nor line ends are in them.
        """
        found = []
        for number in range(first, first + self.choice.randint(0, 9)):
            url = f"http://a.example/{number}.jpg" if plain else self.choice.choice(URLS).format(number)
            text = f"plain {number}" if plain else self._text(number)
            found.append({self.url: url, self.caption: text, **{name: make(number) for name, make in EXTRA.items()}})
            self.pairs[Pair(url, (text or "").strip("\u200b \t\n") or None)] += 1
        return found

    def _text(self, number: int) -> str | None:
        draw = self.choice.random()
        return None if draw < 0.1 else self.choice.choice(BLANK) if draw < 0.2 else some_text(self.choice, number)

    def csv(self, rows: Sequence[dict[str, Any]], delimiter: str = ",") -> bytes:
        """Return a csv."""
        choice, end = self.choice, self.choice.choice(ENDS)
        quotings = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
        quoting = csv.QUOTE_ALL if end == "\r" else choice.choice(quotings)  # the library would quote no line feed
        names = self.options.get("column_names") or self.names()
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names, restval="", delimiter=delimiter, quoting=quoting, lineterminator=end)
        if "column_names" not in self.options:
            writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue()
        if choice.random() < 0.3:
            data = data.removesuffix(end)
        if choice.random() < 0.2 and "\n" not in "".join(str(row[self.caption]) for row in rows):
            data = data.replace(end, end * 2)
            self.told.append("empty lines")
        self.told.append(f"{end!r} quoting {quoting} {'no header' if 'column_names' in self.options else ''}")
        return (choice.choice(("", "", "\ufeff")) + data).encode()

    def names(self) -> list[str]:
        """Return the columns of a csv in some order."""
        names = [self.url, self.caption, *EXTRA]
        self.choice.shuffle(names)
        return names + ([f"wide{number}" for number in range(300)] if self.choice.random() < 0.05 else [])

    def tsv(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """Return a tsv."""
        return self.csv(rows, "\t")

    def ragged(self, first: int) -> bytes:
        """Return a csv of which some lines are no rows; a quote may be opened and not closed."""
        rows = self.rows(first, plain=True)
        lines = [f"{row[self.url]},{row[self.caption]}" for row in rows]
        at = self.choice.randint(0, len(lines))
        bad = self.choice.choice(("http://a.example/few", "http://a.example/x,many,fields", 'http://a.example/x,"open'))
        if at == len(lines) and bad.endswith("open"):  # which swallows nothing
            self.pairs[Pair("http://a.example/x", "open")] += 1
        else:
            self.reasons["bad_row"] += 1
        lines.insert(at, bad)
        self.told.append(f"line {at}: {bad}")
        header = f"{self.url},{_quoted(self.caption)}"
        return "\n".join([header, *lines, ""]).encode()

    def jsonl(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """Return a jsonl; captions may be lists or numbers, and lines no objects."""
        lines = [json.dumps(self._odd_object(row), ensure_ascii=self.choice.random() < 0.5) for row in rows]
        if rows and self.choice.random() < 0.3:
            lines.insert(self.choice.randint(1, len(lines)), self.choice.choice(("not json", "[1, 2]", "42", "{bad")))
            self.reasons["bad_row"] += 1
            self.told.append("a line that is no object")
        end = self.choice.choice(("\n", "\r\n", "\n\n"))
        return (self.choice.choice(("", "\ufeff")) + end.join(lines) + self.choice.choice(("", end))).encode()

    def _odd_object(self, row: dict[str, Any]) -> dict[str, Any]:
        text = row[self.caption]
        if text not in (None, *BLANK) and self.choice.random() < 0.2:
            return {**row, self.caption: ["", text, "another"]}
        if text is None and self.choice.random() < 0.5:
            return {name: value for name, value in row.items() if name != self.caption}
        return row

    def json(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """Return a json in one of the orientations of pandas."""
        choice = self.choice
        orient = choice.choice(("records", "columns", "lists", "index", "split", "table"))
        self.told.append(orient)
        labels = [str(label) for label in choice.sample(range(1000), len(rows))]
        names = [self.caption, self.url, *EXTRA]
        shuffled = choice.sample(range(len(rows)), len(rows))  # of one column: rows are told by their labels
        columns = {
            name: {
                labels[at]: rows[at][name] for at in (shuffled if name == "n" or name == self.url else range(len(rows)))
            }
            for name in names
        }
        values: dict[str, Callable[[], Any]] = {
            "records": lambda: list(rows),
            "columns": lambda: columns,
            "lists": lambda: {name: [row[name] for row in rows] for name in names},
            "index": lambda: dict(zip(labels, rows, strict=True)),
            "split": lambda: {
                "columns": names,
                "index": labels,
                "data": [[row[name] for name in names] for row in rows],
            },
            "table": lambda: {"schema": {"fields": [{"name": name} for name in names]}, "data": list(rows)},
        }
        return (choice.choice(("", "\ufeff")) + json.dumps(values[orient]())).encode()

    def txt(self, rows: Sequence[dict[str, Any]]) -> bytes:
        """Return a list of URLs, which has no captions."""
        for row in rows:
            self.pairs[Pair(row[self.url], (row[self.caption] or "").strip("\u200b \t\n") or None)] -= 1
            self.pairs[Pair(row[self.url], None)] += 1
        self.pairs = +self.pairs
        end = self.choice.choice(("\n", "\r\n", "\r", "\n\n"))
        urls = [row[self.url] for row in rows]
        return (self.choice.choice(("", "\ufeff")) + end.join(urls) + self.choice.choice(("", end, f" {end}"))).encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text else text


def table_case(seed: int, folder: Path) -> OddCase:
    """Make one table, or several, in a folder."""
    choice = random.Random(seed)
    maker = TableMaker(choice)
    kind = choice.choice(("csv", "csv", "tsv", "json", "jsonl", "txt", "ragged", "parquet", "parquet"))
    maker.told.append(kind)
    if kind in ("csv", "tsv") and choice.random() < 0.15:
        maker.options["column_names"] = maker.names()
    for number in range(choice.choice((1, 1, 2, 3))):
        path = folder / f"{number}.{'csv' if kind == 'ragged' else kind}"
        if kind == "ragged":
            data = maker.ragged(100 * number)
        elif kind == "parquet":
            data = parquet_table(choice, maker.told, maker.rows(100 * number), maker.url, maker.caption)
        else:
            data = getattr(maker, kind)(maker.rows(100 * number))
        if choice.random() < 0.15 and kind != "parquet":
            path, data = path.with_name(f"{path.name}.gz"), gzip.compress(data)
        path.write_bytes(data)
        maker.reasons["bad_row"] += not data and kind not in ("jsonl", "txt") and "column_names" not in maker.options
    source = {"kind": "url_table", "path": str(folder), **maker.options}
    return OddCase(seed, ", ".join(maker.told), source, maker.pairs, +maker.reasons)
