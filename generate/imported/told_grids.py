"""Files of several pictures in a grid that a table names: the table says of a file what it is, its layout the tiles."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder
from diptych.generate.imported.layouts import LAYOUTS
from diptych.lookup import resolve

ONE = (1, 1)
MOST = 0.5  # of the images of a table have to be called by the ids that it says
SINGLE = "of single images --layout table"


class ToldGrids(NamedTuple):
    """A layout of grids, and why the files that a table names are such."""

    layout: ImportLayout
    why: str


def told_grids(source: SourceFolder, told: Sequence[FoundImage], prompts: str) -> ToldGrids | None:
    """Return the layout of grids that a folder has beside its table; None where it has none.

    Args:
        source: The folder.
        told: The images that its table names.
        prompts: The kind of the prompt set that is asked for, by whose ids alone files may be known; empty for none.
    """
    for name in LAYOUTS:
        layout: ImportLayout = resolve(LAYOUTS, "layout", name)
        if layout.grid == ONE:
            continue
        why = layout.recognise(source)
        if why is None and prompts in layout.recognise_asked and _share_called_by_id(told) > MOST:
            why = layout.recognise_asked[prompts](source)
        if why is not None:
            return ToldGrids(layout, f"{why.partition('; ')[0]}; {SINGLE}")
    return None


def tiles_of(told: Iterable[FoundImage], grids: ToldGrids, source: SourceFolder) -> list[FoundImage]:
    """Return the tiles of files that a table names. A file that has a row for each of its tiles has them in order."""
    tiles: dict[str, list[FoundImage]] = {}
    for tile in grids.layout.images(source):
        if tile.tile is not None:
            tiles.setdefault(tile.file, []).append(tile)
    told = list(told)
    rows = Counter(image.file for image in told)
    return list(_tiles_of(told, tiles, rows))


def _tiles_of(
    told: Iterable[FoundImage], tiles: Mapping[str, Sequence[FoundImage]], rows: Mapping[str, int]
) -> Iterator[FoundImage]:
    seen = Counter[str]()
    for image in told:
        own = tiles.get(image.file, ())
        if image.misnamed or not own:
            yield image
        elif rows[image.file] == len(own):
            yield replace(image, tile=own[seen[image.file]].tile)
            seen[image.file] += 1
        else:
            yield from (_tile_of(image, tile, len(own)) for tile in own)


def _tile_of(image: FoundImage, tile: FoundImage, many: int) -> FoundImage:
    """Return one tile of an image: of the prompt that the table says, or else its name."""
    number = tile.tile or 0

    def numbered(reading: PlaceReading) -> PlaceReading:
        return reading._replace(sample=(reading.sample or 0) * many + number)

    readings = tuple(map(numbered, image.readings)) or tile.readings
    alone = numbered(image.alone) if image.alone is not None else tile.alone
    return replace(image, tile=tile.tile, readings=readings, alone=alone)


def _share_called_by_id(told: Sequence[FoundImage]) -> float:
    called = [any(reading.prompt_id == PurePosixPath(image.file).stem for reading in image.readings) for image in told]
    return sum(called) / len(called) if called else 0.0
