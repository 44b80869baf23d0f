"""In what the files of the datasets of a run differ: each dataset is looked at once."""

from collections.abc import Mapping

from diptych.evaluate.inputs.dataset_traits import dataset_traits
from diptych.evaluate.inputs.distance_side import DistanceSide
from diptych.evaluate.inputs.file_traits import FileTraits, differences
from diptych.evaluate.inputs.scored_rows import ScoredRows


class ComparedFiles:
    """The files of some datasets by label."""

    def __init__(self, rows: Mapping[str, ScoredRows]) -> None:
        """Look at none yet."""
        self._rows = rows
        self._traits: dict[str, FileTraits] = {}

    def differences(self, judged: str, reference: str | None, side: DistanceSide | None) -> list[str]:
        """Return in what the files of a dataset, a, differ throughout from those of a reference, b, a sentence each.

        Args:
            judged: The label of the dataset.
            reference: That of the reference, or of a file of statistics; None where there is none.
            side: What is known of the reference.
        """
        if reference is None or side is None:
            return []
        other = self._of(reference) if reference in self._rows else side.traits
        return [] if other is None else differences(self._of(judged), other)

    def _of(self, label: str) -> FileTraits:
        if label not in self._traits:
            self._traits[label] = dataset_traits(self._rows[label])
        return self._traits[label]
