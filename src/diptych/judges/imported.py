"""A judge that looked elsewhere: what it said lies beside the dataset already, as ``import-evidence`` wrote it.

No model is loaded and no picture opened. What was said is told by the file that it came from, so that two files are two
judges' evidence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from diptych.errors import ConfigError, DataError
from diptych.judges.contract import Answer, Box, Found, Query, Rating

VERSION = 1
CONTENT_DIGITS = 16
CONTENT = re.compile(rf"[0-9a-f]{{{CONTENT_DIGITS}}}")

Gives = Literal["answers", "boxes", "ratings"]
SCALE = (0.0, 1.0)  # of decisions, and of ratings of which nothing else is said


@dataclass(frozen=True)
class ImportOrigin:
    """Where a judgement came from: who judged, and what tells this import from others, 16 hex digits."""

    name: str
    content: str

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, and what was imported."""
        return {"judge": self.name, "imported": self.content, "version": VERSION}

    def refuse(self, dataset: str = "") -> NoReturn:
        """Refuse to look: whatever was imported is found where it is stored, and nobody asks.

        Args:
            dataset: Where nothing was found; empty where nobody knows.

        Raises:
            DataError: Always.
        """
        where = dataset or "the dataset"
        command = f"diptych evaluate import-evidence {dataset or 'DATASET'}"
        raise DataError(
            f"judge {self.name!r}: nothing with the content {self.content} was imported into {where} as it is; run "
            f"{command} with all files of this judge, the same for each dataset, and paste the lines that it prints"
        )


@dataclass(frozen=True)
class ImportedAnswers:
    """Answers to the questions of prompts."""

    origin: ImportOrigin

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of where it came from."""
        return self.origin.identity

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> Found[Answer]:
        """Refuse, see ``ImportOrigin``."""
        self.origin.refuse()


@dataclass(frozen=True)
class ImportedBoxes:
    """Things that a detector found; of images whose prompt names what it does not know there are none, but a reason."""

    origin: ImportOrigin
    least_score: float
    labels: None = None
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of where it came from."""
        return self.origin.identity

    def boxes(self, images: Sequence[Any], labels: Sequence[Sequence[str]] | None = None) -> Found[Box]:
        """Refuse, see ``ImportOrigin``."""
        self.origin.refuse()


@dataclass(frozen=True)
class ImportedRatings:
    """What people, or another program's rules, said of images as a whole."""

    origin: ImportOrigin
    scale: tuple[float, float]

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of where it came from, and the scale."""
        return {**self.origin.identity, "scale": list(self.scale)}

    def ratings(self, images: Sequence[Any]) -> Found[Rating]:
        """Refuse, see ``ImportOrigin``."""
        self.origin.refuse()


def check_was_imported(judge: Any, dataset: str) -> None:
    """Refuse a judge that looked elsewhere and of which nothing lies beside a dataset; any other can look there.

    Raises:
        DataError: If it is one.
    """
    if isinstance(judge, ImportedAnswers | ImportedBoxes | ImportedRatings):
        judge.origin.refuse(dataset)


def imported(
    *, name: str, content: str, gives: Gives = "answers", least_score: float = 0.0, scale: list[float] | None = None
) -> ImportedAnswers | ImportedBoxes | ImportedRatings:
    """Return the judge, as ``diptych evaluate import-evidence`` prints it.

    Args:
        name: Of who judged, of a-z, 0-9 and _.
        content: What tells it from other imports: 16 hex digits.
        gives: What was imported.
        least_score: Of boxes: what the detector was less sure of is not in the file, in [0, 1); no rule can ask for
            less. It is taken from the file, and may be set lower by who knows that nothing was left out.
        scale: Of ratings: the least and the most; None is from 0 to 1.

    Raises:
        ConfigError: If the content has another form, the least score is out of range, or the scale has no two ends.
    """
    if not CONTENT.fullmatch(content):
        raise ConfigError(f"content: {content!r} is not 16 hex digits; paste what import-evidence prints")
    origin = ImportOrigin(name, content)
    if gives == "answers":
        return ImportedAnswers(origin)
    if gives == "boxes":
        if not 0.0 <= least_score < 1.0:
            raise ConfigError(f"least_score: is at least 0 and below 1, not {least_score}")
        return ImportedBoxes(origin, least_score)
    if scale is not None and (len(scale) != 2 or not scale[0] < scale[1]):
        raise ConfigError(f"scale: is the least and the most that a rating can be, such as [1, 5], not {scale}")
    return ImportedRatings(origin, SCALE if scale is None else (float(scale[0]), float(scale[1])))
