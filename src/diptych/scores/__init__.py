"""Scores: a batch of rows in, named columns out. A curation signal and a per-image metric are the same thing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown, resolve

if TYPE_CHECKING:  # the table below must load without numpy
    import numpy.typing as npt

    from diptych.encoders import Encoder
    from diptych.scores.batches import Batch
    from diptych.scores.looks import Look

# To add one: a module with a keyword-only factory, a line here (alphabetical), a test.
SCORES: dict[str, str] = {
    "aesthetic": "diptych.scores.aesthetic:aesthetic",
    "answer": "diptych.scores.answer:answer",
    "asked_attribute": "diptych.scores.asked_attribute:asked_attribute",
    "caption_stats": "diptych.scores.caption_stats:caption_stats",
    "checklist_score": "diptych.scores.checklist_score:checklist_score",
    "clip_iqa": "diptych.scores.clip_iqa:clip_iqa",
    "clip_similarity": "diptych.scores.clip_similarity:clip_similarity",
    "count_accuracy": "diptych.scores.count_accuracy:count_accuracy",
    "decoded": "diptych.scores.decoded:decoded",
    "hashes": "diptych.scores.hashes:hashes",
    "hps": "diptych.scores.hps:hps",
    "hps_v3": "diptych.scores.hps_v3:hps_v3",
    "image_reward": "diptych.scores.image_reward:image_reward",
    "image_stats": "diptych.scores.image_stats:image_stats",
    "language": "diptych.scores.language:language",
    "linear_probe": "diptych.scores.linear_probe:linear_probe",
    "nsfw": "diptych.scores.nsfw:nsfw",
    "nsfw_mobilenet": "diptych.scores.nsfw_mobilenet:nsfw_mobilenet",
    "object_accuracy": "diptych.scores.object_accuracy:object_accuracy",
    "perceived_attribute": "diptych.scores.perceived_attribute:perceived_attribute",
    "phrase_product": "diptych.scores.phrase_product:phrase_product",
    "pick_score": "diptych.scores.pick_score:pick_score",
    "place_accuracy": "diptych.scores.place_accuracy:place_accuracy",
    "question_accuracy": "diptych.scores.question_accuracy:question_accuracy",
    "rating": "diptych.scores.rating:rating",
    "reference_cosine": "diptych.scores.reference_cosine:reference_cosine",
    "soft_accuracy": "diptych.scores.soft_accuracy:soft_accuracy",
    "text_accuracy": "diptych.scores.text_accuracy:text_accuracy",
    "text_distance": "diptych.scores.text_distance:text_distance",
    "text_edits": "diptych.scores.text_edits:text_edits",
    "vqa_score": "diptych.scores.vqa_score:vqa_score",
    "wise_score": "diptych.scores.wise_score:wise_score",
    "written_text": "diptych.scores.written_text:written_text",
}

# What they are called elsewhere, in small letters and without what stands between them.
ALIASES = {
    "clipscore": "clip_similarity",
    "hpsv2": "hps",
    "hpsv3": "hps_v3",
    "imagereward": "image_reward",
    "phash": "hashes",
    "pickscore": "pick_score",
    "vqascore": "vqa_score",
}

Reads = Literal["bytes", "pixels", "caption", "embedding", "evidence"]
Direction = Literal["higher", "lower"]

DECODED = "decoded"  # the one that every curation computes unasked
OWN_FILE = re.compile(r"(?P<path>.+\.py):(?P<factory>[A-Za-z_]\w*)")  # a factory in a file of the user's own


@dataclass(frozen=True)
class Column:
    """One column that a score writes.

    Attributes:
        name: Column name, unique within the score.
        description: What it measures, with its source.
        dtype: Type on disk. In ``float32`` columns NaN means not scorable and is stored as null.
        unit: Unit, empty for a pure number.
        low: Smallest possible value, if there is one.
        high: Largest possible value, if there is one.
        better_for_data: Which way is better where training data is selected; None where neither is.
        better_for_models: Which way is better where a model is judged by the images that it made; None where neither
            is: of such a column no verdict between models is made.
        words: Of a column of words: all that it can hold, where that is known.
    """

    name: str
    description: str
    dtype: Literal["float32", "int32", "int64", "uint64", "string", "bool"] = "float32"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    better_for_data: Direction | None = None
    better_for_models: Direction | None = None
    words: tuple[str, ...] = ()


class Score(Protocol):
    """A batch of rows in, named columns out; neither decodes nor thresholds."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change a number: version, options, weights sha256, identity of encoder and judges."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it writes."""
        ...

    @property
    def reads(self) -> frozenset[Reads]:
        """What of a batch it looks at: tells the pipeline what to prepare ahead."""
        ...

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return one array of ``len(batch)`` per column.

        Rows that cannot be scored hold NaN in float columns and None in others. An extra array ``reason`` (objects:
        str or None) may say why; where it does not, the row's own reason (its status or decode error) is written.
        """
        ...


class EmbeddingScore(Score, Protocol):
    """A score that reads ``embedding``."""

    @property
    def encoder(self) -> Encoder:
        """The encoder whose vectors it uses."""
        ...


class EvidenceScore(Score, Protocol):
    """A score that reads ``evidence``: a rule over what judges saw."""

    @property
    def looks(self) -> tuple[Look[Any], ...]:
        """What it asks of judges."""
        ...


def encoder_of(score: Score) -> Encoder | None:
    """Return the encoder whose vectors a score uses, if it does."""
    return cast("EmbeddingScore", score).encoder if "embedding" in score.reads else None


def looks_of(score: Score) -> tuple[Look[Any], ...]:
    """Return what a score asks of judges; nothing if it is no rule over evidence."""
    return cast("EvidenceScore", score).looks if "evidence" in score.reads else ()


def make_score(name: str, options: Mapping[str, Any]) -> Score:
    """Build a score; ``encoder`` and ``judge`` among the options are those objects themselves.

    Args:
        name: One of ``SCORES``, or ``path/to/file.py:factory``.
        options: As a config file names them.

    Raises:
        ConfigError: If the name is unknown, the file does not define such a score, or an option does not fit.
    """
    from diptych.config.options import call_with_options

    if OWN_FILE.fullmatch(name):
        from diptych.scores.own_file import own_score

        return own_score(name, options)
    score: Score = call_with_options(_factory(name), options, where=f"score {name!r}")
    return score


def takes(name: str, role: str) -> bool:
    """Return whether a score is made with an ``encoder`` or a ``judge``, as its factory says; loads no model code.

    Raises:
        ConfigError: If the name is unknown, or the file does not define such a score.
    """
    return role in inspect.signature(_factory(name)).parameters


def known_score(name: str) -> str:
    """Return a score's name as diptych has it, for one that a config gives, which may be what others call it.

    Whether a file is there is seen when it is built.

    >>> known_score("CLIPScore"), known_score("clip_score"), known_score("scores/mine.py:redness")
    ('clip_similarity', 'clip_similarity', 'scores/mine.py:redness')

    Raises:
        ConfigError: If it can be none.
    """
    if name in SCORES or OWN_FILE.fullmatch(name):
        return name
    if (alias := re.sub(r"[-_ ]", "", name).casefold()) in ALIASES:
        return ALIASES[alias]
    if ".py" in name:
        raise ConfigError(f"{name!r}: name the factory in the file too: path/to/file.py:factory")
    raise ConfigError(describe_unknown("score", name, SCORES))


def set_name(name: str) -> str:
    """Return what column sets of a score are called: its name, of the user's own one that of the factory.

    >>> set_name("aesthetic"), set_name("scores/mine.py:redness")
    ('aesthetic', 'redness')
    """
    own = OWN_FILE.fullmatch(name)
    return own["factory"] if own else name


def _factory(name: str) -> Callable[..., Any]:
    if OWN_FILE.fullmatch(name):
        from diptych.scores.own_file import read_own_file

        return read_own_file(name).factory
    factory: Callable[..., Any] = resolve(SCORES, "score", name)
    return factory
