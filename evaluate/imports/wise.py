"""Grades of WISE's own programs, in a judge's words or in numbers.

``vllm_eval.py`` and ``WISE_legacy/gpt_eval.py`` of PKU-YuanGroup/WISE at eb51174 write two files.
``..._full_results.json`` is a list with ``prompt_id``, ``prompt`` and ``evaluation``, the judge's words, which the
rules read anew; the prompt has to be that of the dataset's image. ``..._scores_results.jsonl`` has the grades in each
line: ``score``, or before 2026 ``consistency``, ``realism`` and ``aesthetic_quality``; of whole ones the words are made
again, others stand as JSON, which no judge is asked to say. Both know one image of each prompt and no model. What could
not be read upstream leaves out of both; a record whose words or grade are null or NaN is one without an answer.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.text_records import json_lines, json_value
from diptych.errors import DataError
from diptych.evaluate.imports.contract import (
    EvidenceRecord,
    FileContent,
    FilePlace,
    ImportFormat,
    ImportSource,
    SaidAnswer,
)
from diptych.judges.evidence import ANSWERS

QUESTION = "1"  # the only one that is asked of an image
SAID = "evaluation"
GRADES = (("score",), ("consistency", "realism", "aesthetic_quality"))


def wise(source: ImportSource) -> FileContent:
    """Return the judge's words about each image."""
    return FileContent(_answers(source))


def _answers(source: ImportSource) -> Iterator[EvidenceRecord]:
    for place, given in _records(source):
        number = given.get("prompt_id") if isinstance(given, Mapping) else None
        if isinstance(number, bool) or not isinstance(number, int | str):
            raise DataError(f"{place}: a grade of WISE is an object with prompt_id; here it is {number!r}")
        prompt = given.get("prompt")
        said = SaidAnswer(QUESTION, None, _words(given, place))
        image = {PROMPT_ID: str(number)}
        yield EvidenceRecord(place, image, said, prompt if isinstance(prompt, str) else None)


def _records(source: ImportSource) -> Iterator[tuple[FilePlace, Any]]:
    if not source.text.lstrip().startswith("["):
        for line, given in json_lines(source.text, source.file):
            yield FilePlace(source.file, line), given
        return
    for number, given in enumerate(json_value(source.text, source.file), start=1):
        yield FilePlace(source.file, number, "record"), given


def _words(given: Mapping[str, Any], place: FilePlace) -> str:
    """Return what the judge said, or the grades as it is asked to say them; nothing where there are none."""
    if isinstance(given.get(SAID), str):
        return str(given[SAID])
    names = next((some for some in GRADES if set(some) <= given.keys()), ())
    values = [given[name] for name in names]
    if (not names and SAID in given) or any(_is_missing(one) for one in values):
        return ""
    if not names or not all(isinstance(one, int | float) and math.isfinite(one) for one in values):
        known = " or ".join(", ".join(some) for some in GRADES)
        told = ", ".join(repr(given.get(name)) for name in names or GRADES[0])
        raise DataError(f"{place}: a grade of WISE has {SAID}, or as numbers {known}; here they are {told}")
    grades = {name: float(value) for name, value in zip(names, values, strict=True)}
    if not all(grade in range(10) for grade in grades.values()):
        return json.dumps(grades)
    return "\n".join(f"{name.replace('_', ' ').capitalize()}: {grade:g}" for name, grade in grades.items())


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


WISE_GRADES = ImportFormat(ANSWERS, wise)
