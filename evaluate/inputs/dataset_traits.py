"""What the files of a dataset's pictures have in common, see ``file_traits``."""

from itertools import islice

from diptych.data.shards import read_groups
from diptych.evaluate.inputs.file_traits import FileTraits
from diptych.evaluate.inputs.scored_rows import ScoredRows

LOOKED_AT = 256  # pictures, for the quality of JPEGs


def dataset_traits(rows: ScoredRows) -> FileTraits:
    """Return formats and sizes of all pictures, and the quality of some of the JPEGs that come first.

    Of a dataset in a store no picture is read for it, and the quality stays unknown.
    """
    traits, heads = FileTraits(), FileTraits()
    formats, widths, heights = (rows.values(name).to_pylist() for name in ("format", "width", "height"))
    traits.formats.update(filter(None, formats))
    traits.sizes.update((width, height) for width, height in zip(widths, heights, strict=True) if width and height)
    if traits.formats["jpeg"] and not rows.dataset.location.is_store:
        groups = (group for file in rows.dataset.files for group in read_groups(file, ["image"]))
        pictures = (picture["bytes"] for group in groups for picture in group["image"].to_pylist() if picture)
        for data in islice(filter(None, pictures), LOOKED_AT):
            heads.look(data)
    traits.qualities = heads.qualities
    return traits
