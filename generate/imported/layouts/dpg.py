"""DPG-Bench: a file for each prompt, called by its id, with four images in a grid of two by two (ELLA, 2024).

Each image of a grid is cut out and written as PNG without loss. What is kept of the original: the bytes of the grid
lie in ``grids`` beside the dataset under their sha256, and each row says which grid it is of and which tile of it.
"""

import re
from collections.abc import Iterator

from diptych.generate.imported.found_images import FoundImage, ImportLayout, SourceFolder
from diptych.generate.imported.layouts.ids import MOST, images_by_id, share_called

SOURCES = (
    *("COCOval", "countbench", "diffusiondb", "drawtext", "localized", "midjourney", "partiprompts"),
    *("posescript", "stanford", "vrd", "whoops"),
)
PLAIN = r"\d{1,6}"  # of 299 of its 1,065 prompts
NAME = re.compile(rf"(?P<id>(?:{'|'.join(SOURCES)})\d+|{PLAIN})")
ITS_OWN = re.compile(rf"(?:{'|'.join(SOURCES)})\d+")
GRID = (2, 2)


def _recognise(source: SourceFolder) -> str | None:
    if not share_called(source, ITS_OWN) or share_called(source, NAME) <= MOST:
        return None
    return "files are called by ids of DPG-Bench, such as partiprompts97, so that each is four images in a grid"


def _recognise_asked(source: SourceFolder) -> str | None:
    if share_called(source, NAME) <= MOST:
        return None
    single = "of single images --layout names"
    return f"its prompts are asked for, and files are called by ids, so that each is four images in a grid; {single}"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    return images_by_id(source, NAME, GRID[0] * GRID[1])


DPG = ImportLayout("dpg_bench", _recognise, _images, GRID, {"dpg": _recognise_asked})
