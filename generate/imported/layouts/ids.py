"""Files called by the id of a prompt, in a folder for each model: what several layouts have in common."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.generate.imported.found_images import FoundImage, PlaceReading, SourceFolder

MOST = 0.5  # of the pictures have to be called so


def folder_above(name: str, levels: int = 1) -> str | None:
    """Return what the folder is called that lies so many levels above a file, for a model; None where none does.

    >>> folder_above("sdxl/coco_1.png"), folder_above("sdxl/anime/00001.jpg", 2), folder_above("coco_1.png")
    ('sdxl', 'sdxl', None)
    """
    parts = PurePosixPath(name).parts
    return parts[-1 - levels] if len(parts) > levels else None


def share_called(source: SourceFolder, pattern: re.Pattern[str]) -> float:
    """Return the share of the pictures of which the name without its ending is as a pattern says; 0 of none."""
    called = sum(1 for name in source.pictures if pattern.fullmatch(PurePosixPath(name).stem))
    return called / max(len(source.pictures), 1)


def images_by_id(source: SourceFolder, pattern: re.Pattern[str], tiles: int = 1) -> Iterator[FoundImage]:
    """Yield the images of files that are called by ids.

    Args:
        source: The folder.
        pattern: Of a name without its ending; has the groups ``id`` and, where names may end in a number, ``sample``.
        tiles: Images in a file.
    """
    for name in source.pictures:
        found = pattern.fullmatch(PurePosixPath(name).stem)
        if found is None:
            yield FoundImage(name, misnamed="its name is no id of a prompt", folder=folder_above(name))
            continue
        groups = found.groupdict()
        sample = int(groups["sample"]) if groups.get("sample") else None
        for tile in range(tiles):
            reading = PlaceReading(prompt_id=groups["id"], sample=tile if tiles > 1 else sample)
            part = tile if tiles > 1 else None
            yield FoundImage(name, (reading,), reading, folder=folder_above(name), tile=part)
