"""The rows of what a run looked at, as dataclasses: the run, its datasets, their images and the scores of those.

Their docstrings are what the tables of the file say of themselves, see ``comments``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


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
    """A dataset directory of a run.

    Attributes:
        run_id: Of the run.
        dataset: Its label in the config.
        kind: Its role: ``generated``, ``pairs`` or ``reference``.
        path: Where it lay, absolute.
        name: What its manifest calls it.
        fingerprint: Of its content.
        n_rows: How many rows it has.
        prompt_sets: The kind of each of its prompt sets by its label (the benchmark), as far as it tells.
    """

    run_id: str
    dataset: str
    kind: str
    path: str
    name: str
    fingerprint: str
    n_rows: int
    prompt_sets: Json = field(default_factory=dict)


@dataclass(frozen=True)
class ImageRow:
    """One row of a dataset without its picture.

    Attributes:
        run_id: Of the run.
        dataset: Label in the config.
        key: Unique in the dataset.
        caption: The text that belongs to the picture: a caption, or the prompt.
        url: Where the picture came from.
        width: In pixels, after the orientation that the file asks for.
        height: In pixels.
        sha256: Of the picture's bytes.
        status: ``ok``, or the reason for which there is no picture.
        benchmark: Label of the prompt set.
        prompt_id: Of the prompt within it.
        category: Of the prompt; an image counts in each.
        checks: What was asked for, as JSON; empty or null where nobody knows.
        model: Who made the image; null where it was not made.
        setting: Label of all axes together.
        seed: Of the noise.
        sample: Number among the images of one prompt, from 0.
        sampler: An axis of the setting.
        steps: An axis of the setting.
        guidance: An axis of the setting.
        negative_prompt: An axis of the setting.
        shard: Name of the file in the dataset's ``data`` in which the picture lies.
        shard_row: Row of that file, from 0.
        more: Every further column of the data, which a config carried along or a prompt brought.
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
    """A column that a dataset's images have in ``more``.

    Attributes:
        run_id: Of the run.
        dataset: Label in the config.
        name: Of the column.
        sql_type: Its type in SQL.
    """

    run_id: str
    dataset: str
    name: str
    sql_type: str


@dataclass(frozen=True)
class ScoreColumn:
    """What a name in ``scores`` means.

    Attributes:
        run_id: Of the run.
        score: The name: ``label.column``.
        description: What the column says.
        unit: Empty for a pure number.
        low: Least value that there can be.
        high: Largest value that there can be.
        better_for_data: To select training data: ``higher``, ``lower``, or None where neither is.
        better_for_models: To judge a model: the same.
        identity_id: Of everything that decides the values.
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
    """One score of one image: a number, or a text for columns of words, or neither and the reason.

    Attributes:
        run_id: Of the run.
        dataset: Label in the config.
        key: Of the image.
        score: The name of the score's column.
        value: The number.
        text: The word.
        reason: Why there is neither.
    """

    run_id: str
    dataset: str
    key: str
    score: str
    value: float | None = None
    text: str | None = None
    reason: str | None = None
