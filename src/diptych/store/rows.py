"""The rows of the store's tables, as dataclasses.

Tables are long, so that a new metric needs no other schema. A missing number is null and says why in ``reason``; it is
never NaN, which SQL takes for the largest number. How the tables come to be is in ``migrations``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

# Keys among the groups of a difference that cut nothing, but say how its two sides are not quite what they were: the
# one setting of each, where they ran with two; and at how many images of either it is, where some were drawn for that.
SETTING_A, SETTING_B = "setting_a", "setting_b"
EQUAL_N = "equal_n"
HOW_COMPARED = (SETTING_A, SETTING_B, EQUAL_N)


@dataclass(frozen=True)
class Run:
    """One evaluation; of each name there is one, the latest.

    Attributes:
        run_id: Unique in the store.
        name: From the config.
        fingerprint: Of everything that decides the numbers: what is measured and the content of the datasets.
        config: As it was run.
        provenance: See ``diptych.provenance``; the one column that may differ between two equal runs.
    """

    run_id: str
    name: str
    fingerprint: str
    config: Json
    provenance: Json


@dataclass(frozen=True)
class DatasetRow:
    """A dataset directory of a run: its label in the config, its role, its absolute path, its content."""

    run_id: str
    dataset: str
    kind: str
    path: str
    name: str
    fingerprint: str
    n_rows: int


@dataclass(frozen=True)
class ImageRow:
    """One row of a dataset without its picture; ``shard`` (file name) and ``shard_row`` say where the picture lies.

    Every further column of the data, which a config carried along or a prompt brought, is an entry of ``more``.
    """

    run_id: str
    dataset: str
    key: str
    caption: str | None = None
    url: str | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    status: str | None = None
    benchmark: str | None = None
    prompt_id: str | None = None
    category: Sequence[str] = ()
    checks: str | None = None
    model: str | None = None
    setting: str | None = None
    seed: int | None = None
    sample: int | None = None
    sampler: str | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None
    shard: str | None = None
    shard_row: int | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True)
class FurtherColumn:
    """A column that a dataset's images have in ``more``, and its type in SQL."""

    run_id: str
    dataset: str
    name: str
    sql_type: str


@dataclass(frozen=True)
class ScoreColumn:
    """What a name in ``scores`` means; the name is that of the score's column, ``label.column`` where two have it.

    ``better_for_data`` and ``better_for_models`` are the column's own: ``higher``, ``lower``, or None where neither is.
    """

    run_id: str
    score: str
    description: str
    unit: str
    low: float | None
    high: float | None
    better_for_data: str | None
    better_for_models: str | None
    identity_id: str


@dataclass(frozen=True)
class ScoreRow:
    """One score of one image: a number, or a text for columns of words, or neither and the reason."""

    run_id: str
    dataset: str
    key: str
    score: str
    value: float | None = None
    text: str | None = None
    reason: str | None = None


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
        n: Images that count.
        n_unscored: Images of the group that do not, for want of a picture or a score.
        unit: Empty for a pure number.
        better: ``higher`` or ``lower``, for what the images are there for (to judge a model, or to be selected); None
            where neither way is.
        identity_id: Of everything that decides how it is computed; numbers of different identity are not comparable.
        reason: Why there is no value.
        note: What to know when reading it, such as how the interval was made.
        size_bias: Whether its expectation depends on n, ``corrected`` or ``uncorrected``; None where it does not.
        place: Of the metric among those of the run, from 0: in the order of the config.
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


@dataclass(frozen=True)
class DifferenceRow:
    """How much more ``a`` has of a metric than ``b``: value = a - b, over the pairs that both have.

    ``better`` is ``higher`` or ``lower``; None where neither way is, so that nothing is called better. ``groups`` may
    have the keys ``HOW_COMPARED`` too.
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


@dataclass(frozen=True)
class AuditRow:
    """How often an attribute has a value in a group: k of the n that could be judged.

    Attributes:
        run_id: Of the run.
        dataset: Label in the config.
        groups: Which images.
        attribute: The value counted, e.g. ``orange``.
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
    """

    run_id: str
    dataset: str
    groups: Json
    attribute: str
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


TABLE_OF: Mapping[type, str] = {
    Run: "runs",
    DatasetRow: "datasets",
    ImageRow: "images",
    FurtherColumn: "further_columns",
    ScoreColumn: "score_columns",
    ScoreRow: "scores",
    ResultRow: "results",
    DifferenceRow: "differences",
    AuditRow: "audits",
}
TABLES = (*TABLE_OF.values(), "identities")
