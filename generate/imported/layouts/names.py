"""File names that are prompts or ids, with the number of the image behind them: ``a red boat_3.png``, ``00007.png``."""

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


def readings_of_name(stem: str) -> tuple[PlaceReading, ...]:
    """Return what a file name may say: the whole of it an id, then a text; the same without the number at its end.

    >>> [tuple(reading) for reading in readings_of_name("cat_1")]
    [('cat_1', None, None), ('cat', None, 1), (None, 'cat_1', None), (None, 'cat', 1)]
    """
    numbered = numbered_name(stem)
    ids, texts = [PlaceReading(prompt_id=stem)], [PlaceReading(text=stem)]
    if numbered is not None:
        ids.append(PlaceReading(prompt_id=numbered[0], sample=numbered[1]))
        texts.append(PlaceReading(text=numbered[0], sample=numbered[1]))
    return (*ids, *texts)


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        readings = readings_of_name(PurePosixPath(name).stem)
        text, sample = readings[-1].text, readings[-1].sample
        alone = PlaceReading(text=words_of_name(text or ""), sample=sample)
        yield FoundImage(name, readings, alone, is_supposed=True)


def _recognise(source: SourceFolder) -> str | None:
    return None  # any name may be a prompt, or none


NAMES = ImportLayout("", _recognise, _images)
