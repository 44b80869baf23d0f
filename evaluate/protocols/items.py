"""What a number over something else than images counts: questions, or images by their weights.

Each item is one line of some columns side by side, with the row of the dataset that it is about, so that groups of
images and prompts are those of the rows. Decides nothing about what is made of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import CHECKS, NOT_ASKED, Checks, read_checks
from diptych.data.column_names import full_name
from diptych.evaluate.inputs.asked_rows import SAMPLE, is_asked_for
from diptych.evaluate.inputs.prompt_images import prompt_sets_of_images
from diptych.evaluate.inputs.scored_rows import Index, ScoredColumn, ScoredRows
from diptych.evaluate.protocols import text_errors
from diptych.evaluate.protocols.contract import QuestionPool, TextErrors, WeightedImages
from diptych.scores.question_accuracy import OUTCOMES
from diptych.scores.question_rule import LOST, read_outcomes, with_reach


class PoolItems(NamedTuple):
    """The items of a pool over one dataset.

    Attributes:
        rows: int64 (M,): of the dataset, which each is about.
        places: int64 (M,): of each among those about its row.
        values: float64 (M,) in [0, 1]: what each is worth; NaN where nobody knows.
        weights: float64 (M,): how much each counts.
        kinds: Tuples of texts (M,): from broad to narrow.
        states: Texts (M,): why nobody knows what it is worth; empty where it is known.
        parts: float64 (M, P): what some of them together are worth is made from; (M, 0) where that is a mean.
    """

    rows: Index
    places: Index
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.object_]
    states: npt.NDArray[np.object_]
    parts: npt.NDArray[np.float64]

    def take(self, at: npt.NDArray[np.bool_] | Index) -> "PoolItems":
        """Return some of the items."""
        return PoolItems._make(column[at] for column in self)


Item = tuple[int, int, float, float, tuple[str, ...], str, tuple[float, ...]]  # as of ``PoolItems``


def pool_items(
    rows: ScoredRows, label: str, pool: QuestionPool | WeightedImages | TextErrors, prompts: str
) -> PoolItems:
    """Return the items of a pool over the images of a dataset that a protocol is about.

    Args:
        rows: The dataset.
        label: Of the rule's score.
        pool: What is pooled.
        prompts: The kind of the protocol's set of prompts.
    """
    is_about = is_asked_for(rows, prompts)
    if isinstance(pool, WeightedImages):
        return _columns(item for item in _images(rows, label, pool) if is_about[item[0]])
    if isinstance(pool, TextErrors):
        return _columns(item for item in _written(rows, label, pool) if is_about[item[0]])
    if pool.last_only:
        is_about &= _is_last(rows, is_about, _is_judged(rows, label))
    return _columns(item for item in _questions(rows, label, pool) if is_about[item[0]])


def _is_last(
    rows: ScoredRows, is_about: npt.NDArray[np.bool_], is_judged: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return bool (N,): whether an image is the last one of a prompt by its model and setting, of those judged if any.

    Args:
        rows: The dataset.
        is_about: (N,): the images among which.
        is_judged: (N,): whether anything was said of an image; one that is not there does not stand for the others.
    """
    if not rows.has(SAMPLE):
        return np.ones(len(rows), bool)
    samples = rows.values(SAMPLE).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    samples = np.where(is_about, np.where(is_judged, samples + samples.max(initial=0) + 1, samples), -1)
    group = prompt_sets_of_images(rows)
    last = np.full(group.max(initial=-1) + 1, -1)
    np.maximum.at(last, group, samples)
    return np.asarray(samples == last[group])


def _questions(rows: ScoredRows, label: str, pool: QuestionPool) -> Iterator[Item]:
    """Yield every question that is asked of an image; of one of which nothing was said none is known, nor wrong."""
    scored = _outcomes(rows, label)
    texts = scored.texts or [None] * len(rows)
    for row, (said, reason, asked) in enumerate(
        zip(texts, scored.reasons, rows.values(CHECKS).to_pylist(), strict=True)
    ):
        checks = read_checks(asked)
        if reason == NOT_ASKED or checks is None:
            continue
        count = len(checks.questions)
        nothing: list[float | None] = [None] * count
        own, states = (nothing, [reason or ""] * count) if said is None else read_outcomes(said)
        worth = nothing if said is None else _worth(checks, own, pool)
        for place, (question, value, state) in enumerate(zip(checks.questions, worth, states, strict=True)):
            if state == LOST:
                continue
            known = np.nan if value is None else value
            yield row, place, known, question.weight, kinds_of(question.tags, pool.levels), state, ()


def _outcomes(rows: ScoredRows, label: str) -> ScoredColumn:
    return rows.score(full_name(label, OUTCOMES))


def _is_judged(rows: ScoredRows, label: str) -> npt.NDArray[np.bool_]:
    return np.array([text is not None for text in _outcomes(rows, label).texts or [None] * len(rows)], bool)


def _worth(checks: Checks, own: list[float | None], pool: QuestionPool) -> list[float | None]:
    counted = [value or 0.0 for value in own] if pool.unanswered == "wrong" else own
    return with_reach(checks.questions, counted, pool.reach)


def kinds_of(tags: Iterable[str], levels: int) -> tuple[str, ...]:
    """Return the kinds of a question with some tags, from broad to narrow.

    >>> kinds_of(("attribute", "color", "of a part"), 2), kinds_of((), 2)
    (('attribute', 'attribute - color'), ())
    """
    named = list(tags)[:levels]
    return tuple(" - ".join(named[: level + 1]) for level in range(len(named)))


def _images(rows: ScoredRows, label: str, pool: WeightedImages) -> Iterator[Item]:
    values, weights = (rows.score(full_name(label, name)) for name in (pool.column, pool.weight))
    for row, reason in enumerate(values.reasons):
        if reason != NOT_ASKED and weights.values[row] > 0.0:
            yield row, 0, values.values[row], weights.values[row], (), reason or "", ()


def _written(rows: ScoredRows, label: str, pool: TextErrors) -> Iterator[Item]:
    """Yield every image that is to show a text; what it is worth depends on the others, see ``text_errors``."""
    found = [rows.score(full_name(label, name)) for name in text_errors.COLUMNS]
    parts = np.stack([one.values for one in found], axis=1).astype(np.float64)
    for row, reason in enumerate(found[0].reasons):
        if reason != NOT_ASKED and np.isfinite(parts[row, 2]):
            yield row, 0, np.nan, 1.0, (), reason or "", tuple(parts[row].tolist())


def _columns(items: Iterable[Item]) -> PoolItems:
    columns: list[Any] = [list(column) for column in zip(*items, strict=True)] or [[] for _ in PoolItems._fields]
    rows, places, values, weights, kinds, states, parts = columns
    texts = np.empty((2, len(rows)), object)
    for text, column in zip(texts, (kinds, states), strict=True):
        text[:] = column
    numbers = np.array(rows, np.int64), np.array(places, np.int64), np.array(values, float), np.array(weights, float)
    made_of = np.array(parts, float).reshape(len(rows), len(parts[0]) if parts else 0)
    return PoolItems(*numbers, texts[0], texts[1], made_of)
