"""HPSv2: ``<style>/00000.jpg``, four styles of 800 prompts each (Wu et al. 2023, arXiv:2306.09341)."""

import re
from collections.abc import Iterator

from diptych.data.generated_columns import CATEGORY
from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder
from diptych.generate.imported.layouts.ids import MOST, folder_above
from diptych.generate.prompts.hpsv2 import STYLES

NAME = re.compile(rf"(?:.*/)?(?P<style>{'|'.join(STYLES)})/(?P<number>\d{{5}})\.\w+")


def _recognise(source: SourceFolder) -> str | None:
    found = [match["style"] for name in source.pictures if (match := NAME.fullmatch(name))]
    if len(found) <= MOST * len(source.pictures):
        return None
    return f"{len(found):,} files lie in folders of HPSv2's styles ({', '.join(sorted(set(found)))}), five digits each"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        found = NAME.fullmatch(name)
        if found is None:
            yield FoundImage(name, misnamed=f"is no STYLE/00000.jpg, where a style is {', '.join(STYLES)}")
            continue
        reading = PlaceReading(prompt_id=f"{found['style']}/{found['number']}")
        facts = {CATEGORY: [found["style"]]}
        yield FoundImage(name, (reading,), reading, facts, folder=folder_above(name, 2))


HPSV2 = ImportLayout("hpsv2", _recognise, _images)
