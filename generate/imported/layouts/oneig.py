"""OneIG-Bench: ``anime/MODEL/000.webp``, a grid of two by two images of each prompt (Chang et al. 2025, 2506.07977).

Each image of a grid is cut out, as those of DPG-Bench are. The fill of a grid of fewer images is black; it is taken for
an image and told as blank.
"""

import re
from collections.abc import Iterator

from diptych.data.generated_columns import CATEGORY
from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder
from diptych.generate.imported.layouts.ids import MOST
from diptych.generate.prompts.oneig import ASPECTS

NAME = re.compile(rf"(?:.*/)?(?P<aspect>{'|'.join(ASPECTS.values())})/(?P<model>[^/]+)/(?P<number>\d{{3}})\.\w+")
GRID = (2, 2)


def _recognise(source: SourceFolder) -> str | None:
    found = [match["aspect"] for name in source.pictures if (match := NAME.fullmatch(name))]
    if len(found) <= MOST * len(source.pictures):
        return None
    named = ", ".join(sorted(set(found)))
    return f"{len(found):,} files lie in folders of OneIG-Bench ({named}), three digits each, so that each is a grid"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        found = NAME.fullmatch(name)
        if found is None:
            yield FoundImage(
                name, misnamed=f"is no ASPECT/MODEL/000.webp, an aspect being {', '.join(ASPECTS.values())}"
            )
            continue
        facts = {CATEGORY: [found["aspect"]]}
        for tile in range(GRID[0] * GRID[1]):
            reading = PlaceReading(prompt_id=f"{found['aspect']}_{found['number']}", sample=tile)
            yield FoundImage(name, (reading,), reading, facts, folder=found["model"], tile=tile)


ONEIG = ImportLayout("oneig", _recognise, _images, GRID)
