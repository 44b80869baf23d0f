"""TIFA: files called by the ids of its captions, ``coco_301091.jpg`` (Hu et al. 2023, arXiv:2303.11897)."""

import re
from collections.abc import Iterator

from diptych.generate.imported.found_images import FoundImage, ImportLayout, SourceFolder
from diptych.generate.imported.layouts.ids import MOST, images_by_id, share_called

NAME = re.compile(r"(?P<id>(?:coco|drawbench|paintskill|partiprompt)_\d+)(?:_(?P<sample>\d{1,6}))?")


def _recognise(source: SourceFolder) -> str | None:
    if share_called(source, NAME) <= MOST:
        return None
    return "files are called by ids of TIFA v1.0, such as coco_301091"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    return images_by_id(source, NAME)


TIFA = ImportLayout("tifa", _recognise, _images)
