"""Files of statistics that an evaluation names as references, in the place of datasets."""

from collections.abc import Iterable, Mapping

from diptych.evaluate.inputs.choices import StatisticsChoice
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.saved_statistics import read_statistics
from diptych.scores.choices import EncoderChoice
from diptych.storage.store_path import read_path

SavedReferences = Mapping[tuple[str, str], DistanceSide]  # by the labels of the reference and of the encoder


def read_references(
    choices: Mapping[str, StatisticsChoice],
    encoders: Mapping[str, EncoderChoice],
    wanted: Iterable[tuple[str | None, str]],
) -> SavedReferences:
    """Return what files hold of the encoders that they are asked for.

    Args:
        choices: The files by label.
        encoders: By label.
        wanted: Labels of a reference, which may be no file, and of an encoder.

    Raises:
        DataError: If a file cannot be read, or holds something else.
    """
    sides: dict[tuple[str, str], DistanceSide] = {}
    for reference, encoder in dict.fromkeys(wanted):
        if reference is not None and reference in choices:
            kind, options = encoders[encoder].spec
            path = read_path(choices[reference].path)
            sides[reference, encoder] = read_statistics(path, EncoderSpec(kind, options))
    return sides
