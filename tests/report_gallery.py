"""The gallery of a report as its browser reads it: the filters of an address, evaluated once more over its files."""

import base64
import html
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

COUNT = re.compile(r'<a\b[^>]*href="(gallery\.html#[^"]*)"[^>]*>(?:n |\+)?([\d,]+)[^<]*</a>')


class Gallery:
    """What the gallery of a report shows for an address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = json.loads(self._load("rows"))
        self.facets = {facet["name"]: facet for facet in self.index["facets"]}
        self.scores = {score["name"]: score for score in self.index["scores"]}

    def _load(self, name: str) -> bytes:
        text = (self.folder / "data" / f"{name}.js").read_text(encoding="utf-8")
        return zlib.decompress(base64.b64decode(text.split('"')[3]))

    def data(self, name: str) -> Any:
        """Return what a data file of JSON holds."""
        return json.loads(self._load(name))

    def count(self, address: str) -> int:
        """Return how many images an address shows; every filter of it must be one of a column that is there."""
        wanted: dict[str, list[str]] = {}
        for part in html.unescape(address).partition("#")[2].split("&"):
            if part.startswith("f="):
                column, _, value = part[2:].partition(":")
                wanted.setdefault(unquote(column), []).append(unquote(value))
        found = np.ones(self.index["n"], bool)
        for column, values in wanted.items():
            found &= np.any([self._matches(column, value) for value in values], axis=0)
        return int(found.sum())

    def words(self, column: str) -> list[list[str]]:
        """Return the words that each image has in a facet: none, one or several."""
        known = self.facets[column]["values"]
        codes = [code if isinstance(code, list) else [code] for code in self.facets[column]["codes"]]
        return [[known[code] for code in each if code >= 0] for each in codes]

    def _matches(self, column: str, value: str) -> Any:
        is_range = value == "none" or (".." in value and not value.startswith(("=", "none:")))
        if value.startswith("none:"):
            reasons = self.index["reasons"][column]
            return np.asarray(reasons["codes"]) == reasons["values"].index(value[5:])
        if column in self.facets and not (is_range and column in self.scores):
            words = self.words(column)
            is_missing = np.array([not each for each in words])
            word = value.removeprefix("=")
            return {"none": is_missing, "..": ~is_missing}.get(value, np.array([word in each for each in words]))
        if column not in self.scores:  # what is no facet says the same of every image, or nothing
            known = self.index["same"].get(column)
            fits = value == "none" if known is None else value == ".." or value.removeprefix("=") == known["value"]
            return np.full(self.index["n"], fits)
        kind = np.float32 if self.scores[column]["is_single"] else np.float64
        values = np.frombuffer(self._load(self.scores[column]["file"]), kind)
        if value == "none":
            return np.isnan(values)
        low, _, high = value.partition("..")
        if not high:
            return values >= kind(low or "-inf")
        is_below = values <= kind(high[:-1]) if high.endswith("]") else values < kind(high)
        return (values >= kind(low or "-inf")) & is_below


def counts(out: Path) -> Iterator[tuple[str, str, int, int]]:
    """Yield page, address, the number that is said and how many images the gallery shows, of every count."""
    gallery = Gallery(out)
    for page in sorted(out.glob("*.html")):
        for address, said in COUNT.findall(page.read_text(encoding="utf-8")):
            yield page.name, address, int(said.replace(",", "")), gallery.count(address)
