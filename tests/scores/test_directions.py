"""Which way is better, for training data and for models: what every column says, against the table of the docs."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from diptych.scores import SCORES, Column
from diptych.scores.aesthetic import Aesthetic, LinearHead
from diptych.scores.answer import AskedAnswer
from diptych.scores.caption_stats import COLUMNS as CAPTION_STATS
from diptych.scores.checklist_score import COLUMNS as CHECKLIST_SCORE
from diptych.scores.clip_iqa import TEXTS, ClipIqa
from diptych.scores.clip_similarity import COLUMNS as CLIP_SIMILARITY
from diptych.scores.hashes import Hashes
from diptych.scores.hps import Hps
from diptych.scores.image_reward import COLUMNS as IMAGE_REWARD
from diptych.scores.image_stats import COLUMNS as IMAGE_STATS
from diptych.scores.language import COLUMNS as LANGUAGE
from diptych.scores.linear_probe import LinearProbe
from diptych.scores.nsfw import PUNSAFE, PUNSAFE_LAION
from diptych.scores.nsfw_mobilenet import COLUMNS as NSFW_MOBILENET
from diptych.scores.object_accuracy import COLUMNS as OBJECT_ACCURACY
from diptych.scores.perceived_attribute import COLUMNS as PERCEIVED_ATTRIBUTE
from diptych.scores.pick_score import COLUMNS as PICK_SCORE
from diptych.scores.question_accuracy import COLUMNS as QUESTION_ACCURACY
from diptych.scores.soft_accuracy import COLUMNS as SOFT_ACCURACY
from diptych.scores.text_accuracy import COLUMNS as TEXT_ACCURACY
from diptych.scores.vqa_score import COLUMNS as VQA_SCORE
from diptych.scores.wise_score import COLUMNS as WISE_SCORE
from diptych.scores.written_text import COLUMNS as WRITTEN_TEXT

DOCS = Path(__file__).resolve().parents[2] / "docs/curate.md"
NO_ENCODER = cast(Any, None)
Directions = dict[str, tuple[str | None, str | None]]


def aesthetic() -> Sequence[Column]:
    head = LinearHead(np.zeros(4, np.float32), 0.0)
    versions = [Aesthetic(NO_ENCODER, version, head, "") for version in ("v1", "v2")]
    return [column for score in versions for column in score.columns]


def linear_probe() -> Sequence[Column]:
    return LinearProbe(NO_ENCODER, "probability", LinearHead(np.zeros(4, np.float32), 0.0), "").columns


COLUMNS: dict[str, Callable[[], Sequence[Column]]] = {
    "aesthetic": aesthetic,
    "answer": lambda: AskedAnswer(cast(Any, None), ("yes", "no"), 0.0).columns,
    "caption_stats": lambda: CAPTION_STATS,
    "checklist_score": lambda: CHECKLIST_SCORE,
    "clip_iqa": lambda: ClipIqa(NO_ENCODER, tuple(TEXTS)).columns,
    "clip_similarity": lambda: CLIP_SIMILARITY,
    "hashes": lambda: Hashes(True).columns,
    "hps": lambda: (*Hps(NO_ENCODER, "v2").columns, *Hps(NO_ENCODER, "v2.1").columns),
    "image_reward": lambda: IMAGE_REWARD,
    "image_stats": lambda: IMAGE_STATS,
    "language": lambda: LANGUAGE,
    "linear_probe": linear_probe,
    "nsfw": lambda: (PUNSAFE, PUNSAFE_LAION),
    "nsfw_mobilenet": lambda: NSFW_MOBILENET,
    "object_accuracy": lambda: OBJECT_ACCURACY,
    "perceived_attribute": lambda: PERCEIVED_ATTRIBUTE,
    "pick_score": lambda: PICK_SCORE,
    "question_accuracy": lambda: QUESTION_ACCURACY,
    "vqa_score": lambda: VQA_SCORE,
    "soft_accuracy": lambda: SOFT_ACCURACY,
    "text_accuracy": lambda: TEXT_ACCURACY,
    "wise_score": lambda: WISE_SCORE,
    "written_text": lambda: WRITTEN_TEXT,
}
IN_WORDS = {"hashes", "linear_probe"}  # whose columns the table does not name one by one


def documented() -> Directions:
    """Return column -> its directions for training data and for models, as the docs have them."""
    section = DOCS.read_text(encoding="utf-8").partition("### Which way is better")[2].partition("\n## ")[0]
    found: Directions = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and "`" in cells[0]:
            data, models = (None if cell == "neither" else cell for cell in cells[1:])
            for name in re.findall(r"`(\w+)`", cells[0]):
                assert name not in found, f"{name} stands there twice"
                found[name] = data, models
    return found


def test_every_score_that_is_looked_at_is_one() -> None:
    assert set(COLUMNS) <= set(SCORES)


def test_the_direction_of_every_column_is_what_the_docs_say() -> None:
    of_scores = {
        column.name: (column.better_for_data, column.better_for_models)
        for score, columns in COLUMNS.items()
        if score not in IN_WORDS
        for column in columns()
    }
    known = documented()
    assert {name: known.get(name) for name in of_scores} == of_scores
    assert known["linear_probe"] == (None, None)


@pytest.mark.parametrize("score", sorted(IN_WORDS))
def test_what_the_docs_say_in_words_holds(score: str) -> None:
    assert {(column.better_for_data, column.better_for_models) for column in COLUMNS[score]()} == {(None, None)}


def test_sharpness_is_for_training_data_alone() -> None:
    assert documented()["sharpness"] == ("higher", None)
