"""The rows of the numbers of a run, as dataclasses, and which table has which rows.

Tables are long, so that a new metric needs no other schema. A missing number is null and says why in ``reason``; it is
never NaN, which SQL takes for the largest number. How the tables come to be is in ``migrations``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from diptych.store.image_rows import DatasetRow, FurtherColumn, ImageRow, Json, Run, ScoreColumn, ScoreRow

# Keys among the groups of a difference that cut nothing, but say how its two sides are not quite what they were: the
# one setting of each, where they ran with two; how many images of each the other has no partner of, so that they are no
# part of a difference of distances; and at how many images of either it is, where some were drawn for that.
SETTING_A, SETTING_B = "setting_a", "setting_b"
LEFT_OUT_A, LEFT_OUT_B = "left_out_a", "left_out_b"
EQUAL_N = "equal_n"
HOW_COMPARED = (SETTING_A, SETTING_B, LEFT_OUT_A, LEFT_OUT_B, EQUAL_N)
# Keys among the groups of a result that is about pairs of pictures and about no model: whose they are.
SIDE, OTHER_SIDE = "side", "other_side"
# Key among the groups of a distance that a group has to itself with other seeds.
NOISE_FLOOR = "noise_floor"


@dataclass(frozen=True)
class ResultRow:
    """One number about a group of images, with its 95 % interval.

    Attributes:
        run_id: Of the run.
        metric: Its name; ``label.name`` where a run has two kinds of it.
        dataset: Label in the config.
        groups: Which images, e.g. ``{"model": "sdxl"}``; empty for all.
        value: None where it cannot be had; ``reason`` says why.
        se: Standard error.
        ci_low: Of the interval.
        ci_high: Of the interval.
        n: Images that count; of a number over something else, such as questions, how many of those.
        n_unscored: Images of the group that do not, for want of a picture or a score.
        unit: Empty for a pure number.
        better: ``higher`` or ``lower``, for what the images are there for (to judge a model, or to be selected); None
            where neither way is.
        identity_id: Of everything that decides how it is computed; numbers of different identity are not comparable.
        reason: Why there is no value.
        note: What to know when reading it, such as how the interval was made.
        size_bias: Whether its expectation depends on n, ``corrected`` or ``uncorrected``; None where it does not.
        place: Of the metric among those of the run, from 0: in the order of the config.
        caution: What it rests on less than it seems, such as ``24 of 553 prompts``; shown wherever the number is.
    """

    run_id: str
    metric: str
    dataset: str
    groups: Json
    value: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_unscored: int
    unit: str
    better: str | None
    identity_id: str
    reason: str | None = None
    note: str | None = None
    size_bias: str | None = None
    place: int = 0
    caution: str | None = None


@dataclass(frozen=True)
class DifferenceRow:
    """How much more ``a`` has of a metric than ``b``: value = a - b, over the pairs that both have.

    Attributes:
        run_id: Of the run.
        metric: Its name, as in ``results``.
        dataset: Label in the config.
        groups: Which images; beside what cuts them it may say how the two were compared, see ``HOW_COMPARED``.
        a: What is compared: a model, or a value of another column.
        b: What it is compared with.
        value: a - b; None where it cannot be had, and ``reason`` says why.
        se: Standard error.
        ci_low: Of the 95 % interval.
        ci_high: Of the 95 % interval.
        p_value: Of no difference.
        p_adjusted: The same after Holm's adjustment for how many differences are looked at.
        n: Pairs of images.
        n_clusters: Prompts that they are of.
        better: ``higher`` or ``lower``; None where neither way is, so that nothing is called better.
        identity_id: Of everything that decides how both are computed.
        reason: Why there is no value.
        caution: What it rests on less than it seems, such as ``24 of 553 prompts``; shown wherever the number is.
        df: Degrees of freedom of its error; None where that is not known.
        wins: Prompts in which ``a`` has the better number; where neither way is better, the higher one. None of what
            no prompt has a number of its own of, such as a distance.
        ties: Prompts in which both have the same.
        losses: Prompts in which ``b`` has the better one.
        effect: Mean of the prompts' differences over their standard deviation.
        detectable: True difference that would be found with a power of 80 % among so many comparisons.
        margin: The largest difference that counts as none, where one was named.
        p_equivalence: Of a difference of at least the margin, after Holm's adjustment; below 0.05 they are equivalent.
    """

    run_id: str
    metric: str
    dataset: str
    groups: Json
    a: str
    b: str
    value: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    n: int
    n_clusters: int
    better: str | None
    identity_id: str
    reason: str | None = None
    caution: str | None = None
    df: float | None = None
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    effect: float | None = None
    detectable: float | None = None
    margin: float | None = None
    p_equivalence: float | None = None

    def turned(self) -> "DifferenceRow":
        """Return b - a; where that is 0, it is 0 and not -0."""
        ends = (self.value, self.ci_high, self.ci_low, self.effect)
        value, low, high, effect = (None if end is None else 0.0 - end for end in ends)
        other = {SETTING_A: SETTING_B, SETTING_B: SETTING_A, LEFT_OUT_A: LEFT_OUT_B, LEFT_OUT_B: LEFT_OUT_A}
        groups = {other.get(name, name): told for name, told in self.groups.items()}
        turned = replace(self, a=self.b, b=self.a, groups=groups, value=value, ci_low=low, ci_high=high)
        return replace(turned, wins=self.losses, losses=self.wins, effect=effect)


@dataclass(frozen=True)
class SpreadRow:
    """How much of the variance of a score lies between prompts, and how much between images of one prompt.

    Attributes:
        run_id: Of the run.
        metric: Its name, as in ``results``.
        dataset: Label in the config.
        groups: Which images, e.g. ``{"model": "sdxl", "category": "counting"}``; empty for all.
        variance_between: Of the prompts' own means.
        variance_within: Of the images of a prompt.
        icc: The part of both that is between prompts, from 0 to 1; None where nothing varies.
        n: Images with a score.
        n_clusters: Prompts that they are of.
        identity_id: Of everything that decides the score.
    """

    run_id: str
    metric: str
    dataset: str
    groups: Json
    variance_between: float
    variance_within: float
    icc: float | None
    n: int
    n_clusters: int
    identity_id: str


@dataclass(frozen=True)
class AuditRow:
    """How often an attribute has a value in a group: k of the n that could be judged.

    Attributes:
        run_id: Of the run.
        dataset: Label in the config.
        groups: Which images.
        attribute: The value counted, e.g. ``orange``; None where nothing was judged, so that no value is known.
        k: Images with that value.
        n: Images that were judged.
        n_unscored: Images of the group that could not be.
        share: k / n; None where n is 0.
        ci_low: Of the 95 % interval.
        ci_high: Of the 95 % interval.
        reference: Share that the user named to compare with, if any.
        null_low: Lower end of the 95 % range of the share at this n if the truth were the reference, or equal shares.
        null_high: Upper end.
        identity_id: Of how it was judged and counted.
        note: What to know when reading it.
        reason: Why there is no share: ``nothing_judged``.
        unjudged: Why images could not be judged, such as ``nobody``, with the number of each.
        caution: What it rests on less than it seems; shown wherever the number is.
    """

    run_id: str
    dataset: str
    groups: Json
    attribute: str | None
    k: int
    n: int
    n_unscored: int
    share: float | None
    ci_low: float | None
    ci_high: float | None
    reference: float | None
    null_low: float | None
    null_high: float | None
    identity_id: str
    note: str | None = None
    reason: str | None = None
    unjudged: Json = field(default_factory=dict)
    caution: str | None = None


TABLE_OF: Mapping[type, str] = {
    Run: "runs",
    DatasetRow: "datasets",
    ImageRow: "images",
    FurtherColumn: "further_columns",
    ScoreColumn: "score_columns",
    ScoreRow: "scores",
    ResultRow: "results",
    DifferenceRow: "differences",
    SpreadRow: "spreads",
    AuditRow: "audits",
}
TABLES = (*TABLE_OF.values(), "identities")
