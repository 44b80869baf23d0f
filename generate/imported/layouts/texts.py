"""A text beside each picture, of the same name, that says what it was made from: ``0.png`` and ``0.txt``.

So programs that train keep captions, and A1111 writes its whole infotext where it is told to. A text without a letter,
such as one of boxes, is none.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder
from diptych.generate.imported.layouts.folders import reading_of_folder
from diptych.generate.imported.layouts.ids import MOST
from diptych.generate.imported.layouts.names import readings_of_name
from diptych.generate.imported.tools.infotext import parse_infotext
from diptych.generate.imported.tools.said import ToolSays
from diptych.generate.prompts import read_text


def texts_beside(source: SourceFolder) -> list[str]:
    """Return the pictures of a folder that have a text beside them."""
    return [name for name in source.pictures if _beside(name) in source.known]


def _beside(name: str) -> str:
    path = PurePosixPath(name)
    return (path.parent / f"{path.stem}.txt").as_posix()


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        says = _said(source, name)
        if says.prompt:
            reading = PlaceReading(text=says.prompt)
            yield FoundImage(name, (reading,), reading, says.facts, is_supposed=True)
        else:
            stem = PurePosixPath(name).stem
            yield FoundImage(name, (*reading_of_folder(name), *readings_of_name(stem)), is_supposed=True)


def _said(source: SourceFolder, name: str) -> ToolSays:
    """Return what the text beside a picture says.

    Raises:
        DataError: If it cannot be read.
    """
    if _beside(name) not in source.known:
        return ToolSays()
    text = read_text(source.path(_beside(name))).strip()
    try:
        says = parse_infotext(text)
    except ValueError:  # longer than any infotext is
        says = None
    return says or ToolSays(text if any(map(str.isalpha, text)) else None)


def _recognise(source: SourceFolder) -> str | None:
    found = texts_beside(source)
    if len(found) <= MOST * len(source.pictures) or not _said(source, found[0]).prompt:
        return None
    return f"{len(found):,} of {len(source.pictures):,} pictures have a text of their name beside them"


TEXTS = ImportLayout("", _recognise, _images)
