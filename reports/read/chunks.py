"""The rows of a report as the browser reads them: classic scripts that hand over compressed columns.

A page opened from a file may neither fetch nor import, but it may load a script. Each file is one call with a name and
base64 text, so nothing of the data is ever read as a program: ``__R("rows", "H4sI...")``. What a page needs at once is
in ``rows.js``; a score, captions, details and evidence of an image are files of their own, loaded when somebody asks.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diptych.reports.links import MISSING
from diptych.reports.read.columns import PICTURE, details, label_of, listed_filters
from diptych.reports.read.evidence_chunks import evidence_files, evidence_index
from diptych.reports.read.numbers import plain_name
from diptych.reports.read.picture_job import Picture
from diptych.reports.read.report import DOMAIN, MANY_VALUES, Report, are_few
from diptych.reports.read.rows import as_text
from diptych.reports.read.texts import cut

FOLDER = "data"
CAPTIONS_PER_FILE = 1000
DETAILS_PER_FILE = 250

NO_PICTURE, BLURRED, HAS_PREVIEW = 1, 2, 4

Write = Callable[[str, bytes], None]


def write_chunks(report: Report, write: Write) -> None:
    """Hand each file of the data to ``write`` as its name below ``data/`` and its bytes."""
    captions = _dictionary([cut(caption) for caption in report.rows.columns["caption"]])
    index = _index(report, captions)
    told = list(index["details"])
    write("rows.js", pack("rows", _json(index)))
    write("thumbs.js", pack("thumbs", b"".join(_thumb_bytes(picture) for picture in report.pictures)))
    for number, name in enumerate(report.rows.numbers):
        values = report.rows.numbers[name]
        values = values.astype(values.dtype.newbyteorder("<"))
        write(f"score-{number}.js", pack(f"score-{number}", values.tobytes()))
    for number, texts in enumerate(_cut(captions[0], CAPTIONS_PER_FILE)):
        write(f"captions-{number}.js", pack(f"captions-{number}", _json(texts)))
    for number, start in enumerate(range(0, len(report.rows), DETAILS_PER_FILE)):
        rows = range(start, min(start + DETAILS_PER_FILE, len(report.rows)))
        write(f"details-{number}.js", pack(f"details-{number}", _json([_details(report, row, told) for row in rows])))
    for number, seen in evidence_files(report):
        write(f"evidence-{number}.js", pack(f"evidence-{number}", _json(seen)))


def pack(name: str, data: bytes) -> bytes:
    """Return the script that hands compressed bytes over under a name of ours.

    >>> pack("rows", b"")[:12]
    b'__R("rows","'
    """
    # As gzip, whose header would hold a time: DecompressionStream knows zlib as "deflate".
    text = base64.b64encode(zlib.compress(data, 9)).decode("ascii")
    return f'__R("{name}","{text}");\n'.encode("ascii")


def pack_json(name: str, value: Mapping[str, Any]) -> bytes:
    """Return the script that hands a value over under a name of ours."""
    return pack(name, _json(value))


def _index(report: Report, captions: tuple[list[str], list[int]]) -> dict[str, Any]:
    rows = report.rows
    facets = [found for name in report.facets if (found := _facet(report, name)) is not None]
    as_facets = {facet["name"] for facet in facets}
    same = _same(report, as_facets)
    return {
        "n": len(rows),
        "total": rows.total,
        "facets": facets,
        "scores": [_score(report, number, name) for number, name in enumerate(rows.numbers)],
        "captions": {"codes": captions[1], "n": len(captions[0]), "per_file": CAPTIONS_PER_FILE},
        "details": {name: label for name, label in _all_details(report).items() if name not in {*as_facets, *same}},
        "same": same,
        "details_per_file": DETAILS_PER_FILE,
        "flags": [_flags(picture) for picture in report.pictures],
        "reasons": {name: _reasons(len(rows), found) for name, found in rows.reasons.items() if found},
        "pairs": report.pairs,
        "draw_word": report.draw_word,
        "draws": report.draws,
        "models": report.models,
        "missing": MISSING,
        "side": _side(report),
        "evidence": evidence_index(report),
    }


def _same(report: Report, as_facets: set[str]) -> dict[str, dict[str, str]]:
    """Return the columns that say one thing of all rows, so that they are no facet: name -> label and value."""
    found = {}
    for name in (name for name in report.facets if name not in as_facets):
        texts, codes = _facet_codes(report.facets[name])
        if len(texts) == 1 and -1 not in codes:
            found[name] = {"label": label_of(name), "value": texts[0]}
    return found


def _all_details(report: Report) -> dict[str, str]:
    """Return what the drawer says of an image: name -> what it is called."""
    return {**details(), **{name: label_of(name) for name in report.rows.further}}


def _side(report: Report) -> int:
    """Return the long side in pixels of the largest generated picture as the report has it."""
    columns = report.rows.columns
    sides = [
        max(width or 0, height or 0)
        for width, height, model in zip(columns["width"], columns["height"], columns["model"], strict=True)
        if model is not None
    ]
    return min(max(sides, default=0), report.config.preview_px)


def _facet(report: Report, name: str) -> dict[str, Any] | None:
    """Return a column of words as a dictionary and codes; None where it says nothing and no count leads to it."""
    texts, codes = _facet_codes(report.facets[name])
    says_nothing = not texts or (len(texts) == 1 and -1 not in codes and name != "dataset")
    if says_nothing and name not in report.kept_facets:
        return None
    # Others can be filtered by, but nobody looks for a prompt or a seed in a list.
    is_ours = name in {*listed_filters(), PICTURE} and len(texts) <= MANY_VALUES
    is_told = name in {*report.rows.words, *report.further_filters}  # by a score or a source: it may be any text
    is_listed = name == DOMAIN or is_ours or (is_told and are_few(len(texts), sum(code != -1 for code in codes)))
    return {"name": name, "label": label_of(name), "values": texts, "codes": codes, "listed": is_listed}


def _facet_codes(values: Sequence[Any]) -> tuple[list[str], list[int | list[int]]]:
    """Return the different words in the order in which they come, and for each row its code, or a list of several.

    >>> _facet_codes(["a", None, ["b", "a"], ["b"], []])
    (['a', 'b'], [0, -1, [1, 0], 1, -1])
    """
    numbers: dict[str, int] = {}
    codes: list[int | list[int]] = []
    for value in values:
        words = value if isinstance(value, list) else [] if value is None else [value]
        found = [numbers.setdefault(as_text(word), len(numbers)) for word in words]
        codes.append(found if len(found) > 1 else found[0] if found else -1)
    return list(numbers), codes


def _score(report: Report, number: int, name: str) -> dict[str, Any]:
    meaning, values = report.rows.meanings.get(name), report.rows.numbers[name]
    known, finite = values[~np.isnan(values)], values[np.isfinite(values)]
    return {
        "name": name,
        "label": plain_name(name),
        "file": f"score-{number}",
        "is_single": values.dtype == np.float32,
        "low": float(finite.min()) if len(finite) else None,
        "high": float(finite.max()) if len(finite) else None,
        "n": len(known),
        "text": meaning.description if meaning else "",
        "unit": meaning.unit if meaning else "",
        "better": (meaning.better_for_models or "") if meaning else "",
    }


def _reasons(count: int, found: Mapping[int, str]) -> dict[str, Any]:
    """Return why rows have no value of a score, as a dictionary and codes."""
    texts, codes = _dictionary([found.get(row) for row in range(count)])
    return {"values": texts, "codes": codes}


def _flags(picture: Picture) -> int:
    no_picture = NO_PICTURE if not picture.thumbnail else 0
    return no_picture | (BLURRED if picture.is_blurred else 0) | (HAS_PREVIEW if picture.has_preview else 0)


def _thumb_bytes(picture: Picture) -> bytes:
    return bytes.fromhex(picture.thumbnail) if picture.thumbnail else bytes(8)


def _details(report: Report, row: int, names: Sequence[str]) -> dict[str, Any]:
    """Return what the drawer says of an image beside its facets and scores; what is not known is left out."""
    columns = {**report.rows.further, **report.rows.columns}
    found = {name: cut(as_text(value)) for name in names if (value := columns[name][row]) not in (None, [])}
    reasons = {name: reason for name, known in report.rows.reasons.items() if (reason := known.get(row)) is not None}
    problem = report.pictures[row].problem
    more = {"reasons": reasons, "problem": problem}
    return {**found, **{name: value for name, value in more.items() if value}}


def _dictionary(values: Sequence[str | None]) -> tuple[list[str], list[int]]:
    """Return the different texts in the order in which they come, and for each value its number; -1 for None."""
    numbers: dict[str, int] = {}
    codes = [-1 if value is None else numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), codes


def _cut(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def _json(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")
