"""Images of a dataset as other programs want them: in the folders of a benchmark's scripts, or as PNG files alone.

Decides names, and what is written beside and into the files; no pixel changes. Each image says in itself how it was
made, so that ``imported`` reads back what was exported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

# To add one: a module with an ``ExportLayout``, a line here (alphabetical), a test.
EXPORTS: dict[str, str] = {
    "a1111": "diptych.generate.exported.a1111:A1111",
    "compbench": "diptych.generate.exported.compbench:COMPBENCH",
    "geneval": "diptych.generate.exported.geneval:GENEVAL",
}

ExportRow = Mapping[str, Any]  # the columns of an image, without its picture


class ExportLayout(NamedTuple):
    """How images are laid out.

    Attributes:
        names: Returns the path of each image within the folder; raises a DataError for what cannot be named so.
        beside: Returns further files by their paths, for images and their names.
        of_one_model: Whether all images have to be of one model and setting.
        has_place: Whether an image says what it needs to be named; others are left out.
        lacking: Returns in words what the scripts that read the files need and images do not have; empty for nothing.
    """

    names: Callable[[Sequence[ExportRow]], list[str]]
    beside: Callable[[Sequence[ExportRow], Sequence[str]], dict[str, bytes]]
    of_one_model: bool
    has_place: Callable[[ExportRow], bool] = lambda row: True
    lacking: Callable[[Sequence[ExportRow]], str] = lambda rows: ""


def nothing_beside(rows: Sequence[ExportRow], names: Sequence[str]) -> dict[str, bytes]:
    """Return no further files."""
    return {}
