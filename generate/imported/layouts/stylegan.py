"""Samples of a GAN: ``seed0042.png`` as StyleGAN's scripts write them; no prompt, the seed in the name."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.data.generated_columns import SEED
from diptych.generate.imported.found_images import FoundImage, ImportLayout, SourceFolder
from diptych.generate.imported.layouts.ids import MOST, folder_above, share_called

NAME = re.compile(r"seed[_-]?(?P<seed>\d{1,18})(?:-(?P<what>\w+))?")


def _recognise(source: SourceFolder) -> str | None:
    return "files are called seed0000, and no prompt has a name" if share_called(source, NAME) > MOST else None


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        found = NAME.fullmatch(PurePosixPath(name).stem)
        if found is None:
            yield FoundImage(name, misnamed="is no seed0000.png", folder=folder_above(name))
        else:
            yield FoundImage(name, facts={SEED: int(found["seed"])}, folder=folder_above(name))


STYLEGAN = ImportLayout("", _recognise, _images)
