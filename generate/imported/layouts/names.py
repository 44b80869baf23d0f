"""File names that are prompts or ids, with the number of the image behind them: ``a red boat_3.png``, ``00007.png``.

A copy from Midjourney's Discord is called by its user, the beginning of its prompt and a job, as other programs call
their files too. So the words in the middle count where they are those of a prompt of the set, and say nothing by
themselves.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.generate.imported.found_images import (
    FoundImage,
    ImportLayout,
    PlaceReading,
    SourceFolder,
    numbered_name,
    words_of_name,
)
from diptych.generate.imported.tools.midjourney import UUID

JOB_NAME = re.compile(rf"[^_]+_(?P<words>.+)_{UUID}(?:_\d)?", re.DOTALL)


def readings_of_name(stem: str) -> tuple[PlaceReading, ...]:
    """Return what a file name may say: the whole of it an id, then a text; the same without the number at its end.

    Of one with a job behind it, the words between user and job are a text too.

    >>> [tuple(reading) for reading in readings_of_name("cat_1")]
    [('cat_1', None, None), ('cat', None, 1), (None, 'cat_1', None), (None, 'cat', 1)]
    """
    numbered = numbered_name(stem)
    ids, texts = [PlaceReading(prompt_id=stem)], [PlaceReading(text=stem)]
    if numbered is not None:
        ids.append(PlaceReading(prompt_id=numbered[0], sample=numbered[1]))
        texts.append(PlaceReading(text=numbered[0], sample=numbered[1]))
    job = JOB_NAME.fullmatch(stem)
    words = (PlaceReading(text=job["words"]),) if job is not None else ()
    return (*ids, *texts, *words)


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        stem = PurePosixPath(name).stem
        readings = readings_of_name(stem)
        text, sample = readings[-1].text, readings[-1].sample
        alone = PlaceReading(text=words_of_name(text or ""), sample=sample)
        yield FoundImage(name, readings, None if JOB_NAME.fullmatch(stem) else alone, is_supposed=True)


def _recognise(source: SourceFolder) -> str | None:
    return None  # any name may be a prompt, or none


NAMES = ImportLayout("", _recognise, _images)
