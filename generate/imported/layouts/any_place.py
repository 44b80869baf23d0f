"""Any folder: a name, or the folder that a file lies in, counts where it is that of a prompt of the set."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from diptych.generate.imported.found_images import FoundImage, ImportLayout, SourceFolder
from diptych.generate.imported.layouts.folders import reading_of_folder
from diptych.generate.imported.layouts.names import readings_of_name


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    for name in source.pictures:
        # The folder first: "cat/3.png" is an image of the cat, whatever the prompt with the id 3 is.
        yield FoundImage(
            name, (*reading_of_folder(name), *readings_of_name(PurePosixPath(name).stem)), is_supposed=True
        )


def _recognise(source: SourceFolder) -> str | None:
    return f"{len(source.pictures):,} files in no layout that is known"


ANY_PLACE = ImportLayout("", _recognise, _images)
