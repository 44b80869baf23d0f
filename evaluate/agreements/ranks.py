"""In which order two judges put the models, over the images that both could judge, and how sure their places are.

Prompts are drawn anew, with all their images, and the models put in order again (percentile bootstrap over clusters,
Efron and Tibshirani 1993, chapters 8 and 13): a place that other prompts would have given to another model shows it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.inputs.prompt_images import prompt_weights
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.means import MeasuredMean, categories_of
from diptych.evaluate.statistics.intervals import stratum_parts

MODEL = "model"
RESAMPLES, SEED = 1000, 0
FEWEST_PROMPTS = 10  # of fewer, nothing is drawn anew
ENDS = (0.025, 0.975)

Numbers = npt.NDArray[np.float64]


class ModelRanks(NamedTuple):
    """The places of M models by two judges, from 1, the best; of equal ones the mean of their places.

    Attributes:
        models: Their names.
        numbers: float64 (2, M): what each judge says of each.
        places: float64 (2, M).
        drawn: float64 (2, M, B): the places with prompts drawn anew, NaN where none of some model's was; B is 0 where
            there are too few.
        n: int64 (M,): images that both could judge.
    """

    models: tuple[str, ...]
    numbers: Numbers
    places: Numbers
    drawn: Numbers
    n: Index

    @property
    def changes(self) -> Numbers:
        """float64 (M,): by how many places each stands lower by the second."""
        return np.asarray(self.places[1] - self.places[0])

    @property
    def change_ends(self) -> Numbers:
        """float64 (2, M): ends of the intervals of the changes; NaN where nothing was drawn."""
        return _ends(self.drawn[1] - self.drawn[0])

    @property
    def correlation(self) -> float:
        """Kendall's tau-b of the two orders, in [-1, 1]; NaN where one puts all in one place (scipy's kendalltau)."""
        return float(kendalltau(*self.places).statistic)

    @property
    def correlation_ends(self) -> tuple[float, float]:
        """The ends of its interval; NaN where nothing was drawn."""
        if self.lacks_draws:
            return float("nan"), float("nan")
        drawn = [
            kendalltau(first, second).statistic for first, second in zip(*self.drawn.transpose(0, 2, 1), strict=True)
        ]
        low, high = _ends(np.array(drawn, np.float64)[None])[:, 0]
        return float(low), float(high)

    @property
    def lacks_draws(self) -> bool:
        """Whether in some draws none of the prompts of some model was drawn, so that it had no place."""
        return bool(np.isnan(self.drawn).any())


def model_ranks(choice: AgreementChoice, rows: ScoredRows, sides: Sequence[MeasuredMean]) -> ModelRanks | None:
    """Return the places of the models; None where there are fewer than two, or a column has no better side.

    Args:
        choice: Of the two columns.
        rows: Of all models.
        sides: What is averaged of each column.
    """
    if any(rows.score(name).texts is not None for name in (choice.a, choice.b)):
        return None
    if not rows.has(MODEL) or any(side.better_for_models is None for side in sides):
        return None
    both = np.all([np.isfinite(side.values) & side.is_asked for side in sides], axis=0)
    groups = [group for group in rows.groups([MODEL], among=np.flatnonzero(both)) if group.values[MODEL] is not None]
    if len(groups) < 2:
        return None
    prompts = np.unique(rows.prompts[both], return_inverse=True)
    unit = np.zeros(len(rows), np.int64)
    unit[both] = prompts[1]
    once = np.ones((1, len(prompts[0])))
    drawn = _drawn(len(prompts[0]))
    found = [
        [_numbers(rows, side, [group.rows for group in groups], (unit, weights)) for weights in (once, drawn)]
        for side in sides
    ]
    places = [[_places(numbers, side) for numbers in each] for each, side in zip(found, sides, strict=True)]
    return ModelRanks(
        tuple(str(group.values[MODEL]) for group in groups),
        np.array([each[0][:, 0] for each in found]),
        np.array([each[0][:, 0] for each in places]),
        np.array([each[1] for each in places]),
        np.array([len(group.rows) for group in groups], np.int64),
    )


def _drawn(prompts: int) -> Numbers:
    """Return float64 (B, G): how often each prompt is drawn; of few prompts nothing."""
    count = RESAMPLES if prompts >= FEWEST_PROMPTS else 0
    shares = np.full(prompts, 1.0 / prompts)
    return np.random.default_rng(SEED).multinomial(prompts, shares, size=count).astype(np.float64)


def _numbers(rows: ScoredRows, side: MeasuredMean, models: list[Index], drawn: tuple[Index, Numbers]) -> Numbers:
    """Return float64 (M, B): the mean of each model's images as the metric takes it, with prompts by their weights.

    Over prompts or categories first where the metric says so, as it weights them; one of which no prompt was drawn is
    left out. NaN where none of a model's was.
    """
    unit, weights = drawn
    found = []
    for index in models:
        at, names, parts = index, np.zeros(len(index), object), None
        of_prompts = prompt_weights(rows, index, side.values[index]) if side.metric.of_prompts else None
        if side.metric.by_category and rows.has(CATEGORY):
            categories = categories_of(rows, index).among(frozenset(), side.metric)
            at, names, parts = index[categories.positions], categories.names, categories.parts
        own = np.ones(len(at)) if of_prompts is None else of_prompts
        known, kinds = np.unique(names.astype(str), return_inverse=True)
        shape = (len(known), weights.shape[1])
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, (kinds, unit[at]), own * side.values[at])
        np.add.at(counts, (kinds, unit[at]), own)
        total, many = sums @ weights.T, counts @ weights.T
        shares = np.divide(total, many, out=np.zeros_like(total), where=many > 0)
        counted = stratum_parts(kinds, parts)[:, None] * (many > 0)
        whole = counted.sum(axis=0)
        found.append(np.divide((counted * shares).sum(axis=0), whole, out=np.full(len(whole), np.nan), where=whole > 0))
    return np.array(found)


def _places(numbers: Numbers, side: MeasuredMean) -> Numbers:
    turned = -numbers if side.better_for_models == "higher" else numbers
    return np.asarray(rankdata(turned.round(12), axis=0), np.float64)


def _ends(drawn: Numbers) -> Numbers:
    """Return float64 (2, M): the ends of the middle 95 percent of (M, B) numbers; NaN where there are none."""
    known = np.isfinite(drawn)
    if not drawn.shape[1] or not known.all():
        return np.full((2, len(drawn)), np.nan)
    return np.asarray(np.quantile(drawn, ENDS, axis=1))
