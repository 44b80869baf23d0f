"""Human ratings as GenAI-Bench releases them.

``genai_image.json`` has by prompt and model the numbers of three raters. The scale is 1 to 5. The release calls Stable
Diffusion 2.1 ``SDXL_2_1``, and SDXL ``SDXL_Base``; the former is read as ``SD_2_1``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, FilePlace, ImportFormat, ImportSource
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS

SCALE_OF_FIVE = (1.0, 5.0)
MISNAMED = {"SDXL_2_1": "SD_2_1"}
MODELS = "models"


def genai_bench(source: ImportSource) -> FileContent:
    """Return the ratings, without names of raters: the release has none."""
    return FileContent(_ratings(source), scale=SCALE_OF_FIVE)


def _ratings(source: ImportSource) -> Iterator[EvidenceRecord]:
    whole = json_value(source.text, source.file)
    if not isinstance(whole, Mapping):
        raise DataError(f"{source.file}: ratings of GenAI-Bench are an object by prompt")
    number = 0
    for prompt_id, given in whole.items():
        models = given.get(MODELS) if isinstance(given, Mapping) else None
        if not isinstance(models, Mapping):
            raise DataError(f"{source.file}: {prompt_id}: has no {MODELS}; files of prompts alone hold no ratings")
        prompt = given.get("prompt")
        for model, values in models.items():
            number += 1
            place = FilePlace(source.file, number, "record")
            image = {PROMPT_ID: prompt_id, "model": MISNAMED.get(model, model)}
            text = prompt if isinstance(prompt, str) else None
            for part, value in enumerate(_values(values, place, f"{prompt_id}, {model}")):
                yield EvidenceRecord(place, image, Rating(value), text, part=part)


def _values(values: Any, place: FilePlace, what: str) -> list[float]:
    low, high = SCALE_OF_FIVE
    if not isinstance(values, list) or not all(_is_number(value) and low <= value <= high for value in values):
        raise DataError(f"{place} ({what}): ratings are a list of numbers from {low:g} to {high:g}, not {values!r}")
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


GENAI_BENCH_RATINGS = ImportFormat(RATINGS, genai_bench)
