import importlib.metadata
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_dataset import make_table, mixed_rows

from diptych.scores import Score, make_score
from diptych.scores.batches import Batch
from diptych.scores.tables import score_table

# Sentences, because a few words are a guess for any detector.
KNOWN = {
    "en": "A photograph of an old fisherman mending his nets beside the harbour on a grey morning",
    "de": "Ein Foto von einem alten Fischer, der am Morgen im Hafen seine Netze flickt",
    "fr": "Une photographie d'un vieux pêcheur qui répare ses filets sur le port au petit matin",
    "he": "תצלום של דייג זקן המתקן את רשתותיו בנמל בבוקר",
    "ar": "صورة لصياد عجوز يصلح شباكه في الميناء صباحا",
    "zh": "一位老渔夫清晨在港口修补渔网的照片",
    "ja": "早朝の港で網を繕う年老いた漁師の写真",
    "ru": "Фотография старого рыбака, который утром чинит свои сети в гавани",
}
SPEECHLESS = ["", "   ", "12345 678", "🐻🐻", "\u200f\u202b", "\ud800", "...!?"]


@pytest.fixture(scope="module")
def score() -> Score:
    """Its models take seconds to load; all tests share them."""
    return make_score("language", {})


def detect(score: Score, *captions: str | None) -> dict[str, np.ndarray]:
    return score.score(SimpleNamespace(captions=list(captions)))  # type: ignore[arg-type]


def test_sentences_are_recognised(score: Score) -> None:
    found = detect(score, *KNOWN.values())
    assert found["language"].tolist() == list(KNOWN)
    assert found["reason"].tolist() == [None] * len(KNOWN)
    assert found["language_confidence"].min() > 0.5
    assert found["english_confidence"][0] == found["language_confidence"][0]
    assert found["english_confidence"][1:].max() < 0.1


def test_what_has_no_words_has_no_language(score: Score) -> None:
    found = detect(score, *SPEECHLESS, None)
    assert found["language"].tolist() == [None] * (len(SPEECHLESS) + 1)
    assert np.isnan(found["language_confidence"]).all()
    assert np.isnan(found["english_confidence"]).all()
    assert found["reason"].tolist() == ["no_language"] * len(SPEECHLESS) + ["no_caption"]


def test_confidences_are_probabilities(score: Score) -> None:
    captions = [*KNOWN.values(), "cat", "кот cat", "IMG_1234.jpg", "a\ud800 photo", "x" * 2000]
    found = detect(score, *captions)
    for name in ("language_confidence", "english_confidence"):
        assert found[name].dtype == np.float32
        assert ((found[name] >= 0) & (found[name] <= 1)).all()
    assert (found["english_confidence"] <= found["language_confidence"]).all()


def test_a_language_does_not_depend_on_the_batch(score: Score) -> None:
    captions: list[str | None] = [*KNOWN.values(), None, "", "cat", *KNOWN.values()]
    whole = detect(score, *captions)
    for row, caption in enumerate(captions):
        alone = detect(score, caption)
        for name, values in whole.items():
            np.testing.assert_array_equal(alone[name], values[row : row + 1])
    assert {name: len(values) for name, values in detect(score).items()} == dict.fromkeys(whole, 0)


def test_only_the_head_of_a_megabyte_is_looked_at(score: Score) -> None:
    start = time.monotonic()
    found = detect(score, KNOWN["de"] * 20 + "the cat " * 125_000, " " * 1_000_000 + KNOWN["fr"])
    assert time.monotonic() - start < 5
    assert found["language"].tolist() == ["de", "fr"]


def test_a_row_is_stored_with_its_reason(score: Score) -> None:
    batch = Batch(make_table(mixed_rows()[5:7]).to_batches()[0])
    table: list[dict[str, Any]] = score_table(batch, score.columns, score.score(batch)).to_pylist()
    assert table[1] == {
        "key": "000001",
        "language": None,
        "language_confidence": None,
        "english_confidence": None,
        "reason": "no_caption",
    }
    assert table[0]["reason"] is None


def test_the_identity_names_the_version_of_the_detector() -> None:
    version = importlib.metadata.version("lingua-language-detector")
    assert make_score("language", {}).identity == {"score": "language", "version": 1, "detector": f"lingua {version}"}
