"""Scores that tests put into the table of scores, to see what the pipeline does with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diptych.scores import Column, Reads
from diptych.scores.batches import Batch

Function = Callable[[Batch], Mapping[str, Any]]
FUNCTIONS: dict[str, Function] = {}


@dataclass(frozen=True)
class OwnScore:
    """Runs the function that a test left under ``name``."""

    name: str
    columns: tuple[Column, ...] = (Column("value", "whatever the test wants"),)
    reads: frozenset[Reads] = frozenset({"caption"})
    identity: Mapping[str, Any] = field(default_factory=lambda: {"score": "own"})

    def score(self, batch: Batch) -> dict[str, Any]:
        return dict(FUNCTIONS[self.name](batch))


def own_score(*, name: str) -> OwnScore:
    return OwnScore(name, identity={"score": "own", "name": name})


def nan_everywhere(batch: Batch) -> Mapping[str, Any]:
    return {"value": np.full(len(batch), np.nan, np.float32)}


def length_of_key(batch: Batch) -> Mapping[str, Any]:
    return {"value": np.array([int(key) for key in batch.keys], np.float32)}


def fail_in_the_second_shard(batch: Batch) -> Mapping[str, Any]:
    if any(int(key) >= 4 for key in batch.keys):
        raise ZeroDivisionError("a fault in the score")
    return length_of_key(batch)


FUNCTIONS |= {"fails": fail_in_the_second_shard, "key": length_of_key, "nan": nan_everywhere}
