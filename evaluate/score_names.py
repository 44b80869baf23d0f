"""What a mean of a score column is called and how the numbers are made ready for it.

A column that is not named here keeps its own name and unit. The direction is always that of the column.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ImageMetric:
    """A metric that is a mean over images.

    Attributes:
        name: Of the metric.
        unit: Empty for a pure number.
        low: Smallest possible value, if there is one.
        high: Largest possible value, if there is one.
        facts: What decides the number beside the score, for its identity.
        prepare: From the column's values to those that are averaged; never turns them round.
        by_category: Whether the mean is taken per category first, then over the categories.
        category_parts: How much each category counts in that, as a benchmark fixes it; none where all count alike.
        of_prompts: Whether the mean is taken per prompt first, then over the prompts, see ``prompt_images``.
        is_share: Whether every number is 0 or 1, so that the mean is a share of images.
        of_kinds: Whether it is the mean over kinds of the mean over theirs, and so on, see ``QuestionPool``.
    """

    name: str
    unit: str
    low: float | None
    high: float | None
    facts: Mapping[str, Any]
    prepare: Callable[[Numbers], Numbers] = lambda values: values
    by_category: bool = False
    of_prompts: bool = False
    is_share: bool = False
    of_kinds: bool = False
    category_parts: Mapping[str, float] = field(default_factory=dict)

    def of_categories(self, parts: Mapping[str, float]) -> "ImageMetric":
        """Return the metric with its mean taken over categories, by their parts."""
        return replace(self, by_category=True, category_parts=parts)

    def counts(self, category: str) -> bool:
        """Return whether a category is one of those that count."""
        return not self.category_parts or category in self.category_parts

    def parts_of(self, names: Sequence[str] | npt.NDArray[np.object_]) -> Numbers | None:
        """Return float64 (N,): how much the category of each name counts; None where all count alike."""
        return np.array([self.category_parts[name] for name in names]) if self.category_parts else None


OF_PROMPTS = "over images per prompt, then over all prompts"  # what an identity says under ``mean``
OF_CATEGORIES = "over images per category, then over all categories"
PARTS = "category_parts"  # under which it says how much each of them counts, where not all count alike


def clip_score_of(cosines: Numbers) -> Numbers:
    """Return 100 x max(cosine, 0), clamped image by image.

    Hessel et al. 2021 (arXiv 2104.08718, equation 1) with the scale 100 that torchmetrics and most papers use instead
    of 2.5, and without the prefix "A photo depicts". torchmetrics documents the clamp per image but clamps the mean.

    >>> clip_score_of(np.array([0.3, -0.1])).tolist()
    [30.0, 0.0]
    """
    return 100.0 * np.maximum(cosines, 0.0)


CLIP_SCORE = ImageMetric(
    "clip_score",
    "100 x max(cosine, 0)",
    0.0,
    100.0,
    {"metric": "clip_score", "version": 1, "convention": "100 x max(cosine, 0), mean over images"},
    clip_score_of,
)
# GenEval (Ghosh et al. 2023): the score of a category is the mean over its images, the whole the mean of categories.
OBJECT_ACCURACY = ImageMetric(
    "object_accuracy",
    "share of images",
    0.0,
    1.0,
    {
        "metric": "object_accuracy",
        "version": 2,  # 1 was over the categories that happened to be answered
        "convention": "mean over images per category, then over all categories",
    },
    by_category=True,
    is_share=True,
)

# Score column -> the metric that its mean is. To add one: a line here, a test.
METRICS: Mapping[str, ImageMetric] = {"clip_similarity": CLIP_SCORE, "object_correct": OBJECT_ACCURACY}


def metric_of_identity(identity: Mapping[str, Any], facts: Mapping[str, Any]) -> ImageMetric:
    """Return the metric that a stored mean of a column is, by its identity; ``facts`` as of ``metric_of``."""
    metric = metric_of(identity["column"], facts)
    if identity.get("mean") == OF_PROMPTS:
        return replace(metric, of_prompts=True)
    return metric.of_categories(identity.get(PARTS, {})) if identity.get("mean") == OF_CATEGORIES else metric


def metric_of(column: str, facts: Mapping[str, Any]) -> ImageMetric:
    """Return the metric that the mean of a column is.

    Args:
        column: Its own name, without a label.
        facts: ``unit``, ``low`` and ``high`` of a column that has no line in the table.
    """
    if column in METRICS:
        return METRICS[column]
    return ImageMetric(
        column,
        str(facts.get("unit") or ""),
        facts.get("low"),
        facts.get("high"),
        {"metric": "mean", "version": 1},
    )
