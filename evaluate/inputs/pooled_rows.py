"""The rows of several datasets as those of one, for what is said of all of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from diptych.evaluate.inputs.scored_rows import ScoredColumn, ScoredRows


@dataclass(frozen=True)
class PooledRows(ScoredRows):
    """Several datasets of an evaluation, one below the other; what they have in common is there by its name.

    A prompt that several datasets have is one, and what depends on each other within one does here.

    Attributes:
        parts: The datasets, each with the same columns of scores.
    """

    parts: tuple[ScoredRows, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows of all."""
        return sum(map(len, self.parts))

    @cached_property
    def prompt_kinds(self) -> Mapping[str, str]:
        """The kinds of the prompt sets of all by their labels; one that means two things has none."""
        told = [pair for part in self.parts for pair in part.prompt_kinds.items()]
        return {label: kind for label, kind in told if all(kind == of for name, of in told if name == label)}

    def has(self, name: str) -> bool:
        """Return whether the data of each have a column, of one type."""
        return all(part.has(name) for part in self.parts) and len({part.values(name).type for part in self.parts}) == 1

    def score(self, name: str) -> ScoredColumn:
        """Return a column of a score over all rows; what decides it is said as of the first."""
        if name not in self._read:
            found = [part.score(name) for part in self.parts]
            texts = [list(one.texts) for one in found if one.texts is not None]
            self._read[name] = replace(
                found[0],
                values=np.concatenate([one.values for one in found]),
                texts=[text for each in texts for text in each] if texts else None,
                reasons=[reason for one in found for reason in one.reasons],
            )
        return self._read[name]

    def values(self, name: str) -> pa.Array:
        """Return a column to group by, over all rows."""
        return pa.concat_arrays([part.values(name) for part in self.parts])

    @cached_property
    def texts_apart(self) -> list[tuple[str, ...]]:
        """Of each row the text of its prompt where the name alone stands for another one."""
        return [text for part in self.parts for text in part.texts_apart]


def pooled_rows(parts: Sequence[ScoredRows]) -> PooledRows:
    """Return two datasets or more, of one role, as one under the labels of all."""
    label = "+".join(sorted(part.label for part in parts))
    return PooledRows(label, parts[0].role, parts[0].table, parts=tuple(parts))
