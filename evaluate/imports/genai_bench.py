"""Human ratings as GenAI-Bench releases them.

``genai_image.json`` has by prompt and model the numbers of three raters. The scale is 1 to 5, but two numbers of the
release are slips, 41 and 33. They are read as released, since the published means count them, and the scale is then
told as 1 to 41; any other number off the scale is refused. The release calls Stable Diffusion 2.1 ``SDXL_2_1``, and
SDXL ``SDXL_Base``; the former is read as ``SD_2_1``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, FilePlace, ImportFormat, ImportSource
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS

SCALE_OF_FIVE = (1.0, 5.0)
SLIPS = {("00231", "DALLE_3"): 41, ("00252", "DeepFloyd_I_XL_v1"): 33}  # of the release, sha256 a7e15e46...
MISNAMED = {"SDXL_2_1": "SD_2_1"}
MODELS = "models"


def genai_bench(source: ImportSource) -> FileContent:
    """Return the ratings, without names of raters: the release has none."""
    whole = json_value(source.text, source.file)
    if not isinstance(whole, Mapping):
        raise DataError(f"{source.file}: ratings of GenAI-Bench are an object by prompt")
    low, high = SCALE_OF_FIVE
    slips = (slip for (prompt_id, model), slip in SLIPS.items() if slip in _given(whole.get(prompt_id), model))
    return FileContent(_ratings(source, whole), scale=(low, float(max((high, *slips)))))


def _given(prompt: Any, model: str) -> Sequence[Any]:
    models = prompt.get(MODELS) if isinstance(prompt, Mapping) else None
    values = models.get(model) if isinstance(models, Mapping) else None
    return values if isinstance(values, list) else ()


def _ratings(source: ImportSource, whole: Mapping[str, Any]) -> Iterator[EvidenceRecord]:
    number = 0
    for prompt_id, given in whole.items():
        models = given.get(MODELS) if isinstance(given, Mapping) else None
        if not isinstance(models, Mapping):
            raise DataError(f"{source.file}: {prompt_id}: has no {MODELS}; files of prompts alone hold no ratings")
        prompt = given.get("prompt")
        for model, values in models.items():
            number += 1
            place = FilePlace(source.file, number, "record")
            image = {PROMPT_ID: str(prompt_id), "model": MISNAMED.get(model, str(model))}
            text = prompt if isinstance(prompt, str) else None
            for part, value in enumerate(_values(values, place, (prompt_id, model))):
                yield EvidenceRecord(place, image, Rating(value), text, part=part)


def _values(values: Any, place: FilePlace, whose: tuple[str, str]) -> list[float]:
    (low, high), slip = SCALE_OF_FIVE, SLIPS.get(whose)
    is_list = isinstance(values, list)
    if not is_list or not all(_is_number(value) and (low <= value <= high or value == slip) for value in values):
        raise DataError(
            f"{place} ({', '.join(whose)}): ratings are a list of numbers from {low:g} to {high:g}, not {values!r}"
        )
    return [float(value) for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


GENAI_BENCH_RATINGS = ImportFormat(RATINGS, genai_bench)
