"""DSG-1k: files called by its ``item_id``, ``whoops_12.png``, in a folder for each model (Cho et al. 2023)."""

import re
from collections.abc import Iterator

from diptych.generate.imported.found_images import FoundImage, ImportLayout, SourceFolder
from diptych.generate.imported.layouts.ids import MOST, images_by_id, share_called

SOURCES = (
    *("tifa160", "midjourney", "stanford_paragraph", "diffusiondb", "vrd", "posescript", "drawtext"),
    *("countbench", "whoops", "localized_narratives"),
)
NAME = re.compile(rf"(?P<id>(?:{'|'.join(SOURCES)})_\d+)(?:_(?P<sample>\d{{1,6}}))?")


def _recognise(source: SourceFolder) -> str | None:
    if share_called(source, NAME) <= MOST:
        return None
    return "files are called by item ids of DSG-1k, such as whoops_12"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    return images_by_id(source, NAME)


DSG = ImportLayout("dsg1k", _recognise, _images)
