"""Language of the caption, by lingua, offline. A maintained detector whose models come inside the package.

Short alt texts are hard: on product names any detector guesses. Keep ``language`` for selection and look at
``language_confidence`` beside it; digits, codes and empty texts have no language.
"""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.scores import Column, Reads
from diptych.scores.batches import NO_CAPTION, Batch

COLUMNS = (
    Column("language", "Most likely language, ISO 639-1; null where the text has none", dtype="string"),
    Column("language_confidence", "Its probability among all 75 languages", low=0.0, high=1.0),
    Column("english_confidence", "Probability of English among all 75 languages", low=0.0, high=1.0),
)
MAX_CHARACTERS = 1_000  # the first sentences decide; a pasted page would only cost time


@dataclass(frozen=True)
class LanguageScore:
    """Detects the language of each caption."""

    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"caption"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and the detector's version, whose models decide."""
        detector = f"lingua {importlib.metadata.version('lingua-language-detector')}"
        return {"score": "language", "version": 1, "detector": detector}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns; null with reason ``no_caption`` or ``no_language``."""
        texts = [(caption or "").strip()[:MAX_CHARACTERS] for caption in batch.captions]
        found = self._detector.compute_language_confidence_values_in_parallel([_clean(text) for text in texts])
        languages, confidences, english, reasons = [], [], [], []
        for caption, values in zip(batch.captions, found, strict=True):
            best = values[0] if values and values[0].value > 0 else None
            languages.append(best.language.iso_code_639_1.name.lower() if best else None)
            confidences.append(best.value if best else np.nan)
            english.append(_english(values) if best else np.nan)
            reasons.append(None if best else NO_CAPTION if caption is None else "no_language")
        return {
            "language": np.array(languages, object),
            "language_confidence": np.array(confidences, np.float32),
            "english_confidence": np.array(english, np.float32),
            "reason": np.array(reasons, object),
        }

    @cached_property
    def _detector(self) -> Any:
        from lingua import LanguageDetectorBuilder

        return LanguageDetectorBuilder.from_all_languages().build()


def language() -> LanguageScore:
    """Return the score. Its models take about 1 GB of memory once loaded."""
    return LanguageScore()


def _clean(text: str) -> str:
    # A lone surrogate cannot cross into the detector's Rust strings.
    return text.encode("utf-8", "replace").decode("utf-8")


def _english(values: Any) -> float:
    return float(next((value.value for value in values if value.language.name == "ENGLISH"), 0.0))
