"""In which order two judges put the models, over the images that both could judge."""

from typing import NamedTuple

import numpy as np
from scipy.stats import kendalltau, rankdata

from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.means import MeasuredMean, categories_of, measured

MODEL = "model"


class ModelRank(NamedTuple):
    """A model as both judges see it.

    Attributes:
        model: Its name.
        rank_a: From 1, the best; of equal ones the mean of their places.
        rank_b: By the other judge.
        a: Its number by the one.
        b: By the other.
        n: Images that both could judge.
    """

    model: str
    rank_a: float
    rank_b: float
    a: float
    b: float
    n: int


def model_ranks(choice: AgreementChoice, rows: ScoredRows) -> list[ModelRank]:
    """Return the ranks of the models; none where there are fewer than two, or a column has no better side."""
    sides = [measured(rows.score(name)) for name in (choice.a, choice.b) if rows.score(name).texts is None]
    if len(sides) < 2 or not rows.has(MODEL) or any(side.better_for_models is None for side in sides):
        return []
    both = np.isfinite(sides[0].values) & np.isfinite(sides[1].values)
    both &= sides[0].is_asked & sides[1].is_asked
    found = {
        str(group.values[MODEL]): [_number(rows, side, group.rows) for side in sides] + [len(group.rows)]
        for group in rows.groups([MODEL], among=np.flatnonzero(both))
        if group.values[MODEL] is not None
    }
    if len(found) < 2:
        return []
    ranks = [
        rankdata(
            [numbers[side] * (-1.0 if sides[side].better_for_models == "higher" else 1.0) for numbers in found.values()]
        )
        for side in range(2)
    ]
    return [
        ModelRank(model, float(first), float(second), numbers[0], numbers[1], int(numbers[2]))
        for (model, numbers), first, second in zip(found.items(), *ranks, strict=True)
    ]


def rank_correlation(ranks: list[ModelRank]) -> float:
    """Return Kendall's tau-b of two orders of models, in [-1, 1]; NaN where one puts all in one place.

    Source: scipy.stats.kendalltau.
    """
    return float(kendalltau([one.rank_a for one in ranks], [one.rank_b for one in ranks]).statistic)


def _number(rows: ScoredRows, side: MeasuredMean, index: Index) -> float:
    """Return the mean of some images as the metric takes it: over categories first where it says so."""
    values = side.values[index]
    if not side.metric.by_category or not rows.has(CATEGORY):
        return float(values.mean())
    categories = categories_of(rows, index)
    names = np.unique(categories.names)
    return float(np.mean([values[categories.positions[categories.names == name]].mean() for name in names]))
