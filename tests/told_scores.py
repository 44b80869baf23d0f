"""Scores that read what they say from the caption, so that a test knows every number: ``correct=1 hat=orange ...``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from diptych.scores import SCORES, Column, Reads
from diptych.scores.batches import Batch

TABLE = {
    "told_accuracy": "told_scores:told_accuracy",
    "told_attribute": "told_scores:told_attribute",
    "told_flag": "told_scores:told_flag",
    "told_number": "told_scores:told_number",
}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the scores into the table of scores."""
    for name, target in TABLE.items():
        monkeypatch.setitem(SCORES, name, target)


def told(caption: str | None) -> dict[str, str]:
    """Return what a caption says."""
    return dict(word.split("=", 1) for word in (caption or "").split() if "=" in word)


@dataclass(frozen=True)
class Told:
    """A score whose columns are words of the caption."""

    name: str
    columns: tuple[Column, ...]
    words: Mapping[str, str]
    version: int = 1
    reads: frozenset[Reads] = frozenset({"caption"})
    missing: str = "not_told"
    identity: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", {"score": self.name, "version": self.version})

    def score(self, batch: Batch) -> dict[str, Any]:
        said = [told(caption) for caption in batch.captions]
        values: dict[str, Any] = {}
        for column in self.columns:
            found = [each.get(self.words[column.name]) for each in said]
            if column.dtype == "string":
                values[column.name] = np.array(found, object)
            else:
                values[column.name] = np.array([np.nan if text is None else float(text) for text in found], np.float32)
        values["reason"] = np.array([each.get("reason", self.missing) for each in said], object)
        return values


def told_accuracy(*, version: int = 1) -> Told:
    column = Column(
        "object_correct", "Whether it is right", low=0.0, high=1.0, better_for_data="higher", better_for_models="higher"
    )
    return Told("told_accuracy", (column,), {"object_correct": "correct"}, version)


def told_attribute() -> Told:
    columns = (
        Column("attribute", "What is worn", dtype="string"),
        Column("attribute_class", "By whom", dtype="string"),
    )
    return Told("told_attribute", columns, {"attribute": "hat", "attribute_class": "class"}, missing="none_detected")


def told_flag() -> Told:
    column = Column("passes", "Whether it passes", low=0.0, high=1.0, better_for_models="higher")
    return Told("told_flag", (column,), {"passes": "passes"})


def told_number(*, version: int = 1) -> Told:
    column = Column("number", "A number", unit="px", low=0.0, better_for_data="higher", better_for_models="higher")
    return Told("told_number", (column,), {"number": "number"}, version)
