"""A folder for each prompt, called by its id or its text; the images in it are counted in the order of their names."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder, words_of_name


def reading_of_folder(name: str) -> tuple[PlaceReading, ...]:
    """Return what the folder of a file may say: an id, then a text; its number is the file's, if that is one.

    >>> [tuple(reading) for reading in reading_of_folder("00007/0002.png")]
    [('00007', None, 2), (None, '00007', 2)]
    """
    path = PurePosixPath(name)
    folder = path.parent.name
    sample = int(path.stem) if path.stem.isascii() and path.stem.isdigit() else None
    return (PlaceReading(folder, None, sample), PlaceReading(None, folder, sample)) if folder else ()


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        found = reading_of_folder(name)
        if not found:
            yield FoundImage(name, misnamed="lies in no folder of a prompt")
            continue
        _, folder, sample = found[-1]
        alone = PlaceReading(text=words_of_name(folder or ""), sample=sample)
        yield FoundImage(name, found, alone, is_supposed=True)


def _recognise(source: SourceFolder) -> str | None:
    return None  # any folder may be called after a prompt, or none


FOLDERS = ImportLayout("", _recognise, _images)
