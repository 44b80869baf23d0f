"""What a benchmark's protocol is: whose prompts, what kind of judge, and by which rules its answers become a number.

A protocol is data. The rule for one image is a score of diptych with its options, so that everything that holds for
scores (stored once, run again without the model, intervals, pairs, the report) holds for protocols. ``official`` is
what upstream's scripts count, with what they have wrong; ``corrected`` is what they mean to count. The two never share
a name, and neither do two judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

OFFICIAL, CORRECTED = "official", "corrected"

Ability = Literal["answers", "boxes", "text"]


@dataclass(frozen=True)
class ProtocolRule:
    """One way to count.

    Attributes:
        score: The score of diptych that is the rule for one image.
        column: Its column that is averaged.
        says: What it counts, in one sentence for the user.
        options: Of the score.
    """

    score: str
    column: str
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedScore:
    """A number that others published.

    Attributes:
        model: Of the images.
        judge: Who judged, and by which rule where that is told.
        value: In the unit of the protocol's metric.
        source: Where it stands.
    """

    model: str
    judge: str
    value: float
    source: str


@dataclass(frozen=True)
class Protocol:
    """One benchmark.

    Attributes:
        name: As a config says it.
        title: What it is, in one line.
        prompts: The kind of its set of prompts, see ``diptych.generate.prompts``.
        asset: The file of the prompts, see ``diptych.assets``.
        n_prompts: How many prompts it has.
        ability: What its judge has to be able to do.
        cost: What judging one image takes, in words.
        source: The paper.
        rules: By their names, ``official`` first.
        defects: What upstream's scripts have wrong, and what is done about it.
        published: Numbers to hold one's own against; of the same judge and rule only.
    """

    name: str
    title: str
    prompts: str
    asset: str
    n_prompts: int
    ability: Ability
    cost: str
    source: str
    rules: Mapping[str, ProtocolRule]
    defects: tuple[str, ...] = ()
    published: tuple[PublishedScore, ...] = ()
