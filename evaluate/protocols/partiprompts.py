"""PartiPrompts: people's ratings, or a reward, in twelve categories (Yu et al. 2022, arXiv:2206.10789).

The paper shows people two images at a time and publishes which of two models they prefer; it has no judge and no number
of one model, so that no rule here is official. What others report are means of rewards, each a protocol, which never
share a number. Challenges (Quantity, Imagination) are the column ``challenge``, by which a config may group.
"""

from collections.abc import Mapping
from typing import Any

from diptych.evaluate.protocols.contract import MEAN, Ability, JudgingCost, Protocol, ProtocolRule

DEFECTS = (
    "The paper's numbers are preferences between two models, with five people an image; none of them is a mean of "
    "ratings or rewards, so that none is to be held against these.",
    "Rewards know a text up to 77 tokens and compare images of one prompt; how much further apart two categories are "
    "says nothing.",
)


def _protocol(name: str, what: str, ability: Ability, score: str, options: Mapping[str, Any], column: str) -> Protocol:
    return Protocol(
        name=name,
        title=f"PartiPrompts: {what}, in twelve categories",
        prompts="partiprompts",
        n_prompts=1632,
        ability=ability,
        cost=JudgingCost(calls=1, tokens=None, images=1, gib=3.7 if ability == "embeddings" else None),
        source="Yu et al. 2022, arXiv:2206.10789",
        rules={MEAN: ProtocolRule(score, column, f"{what}; mean over images, and by category", options)},
        assets=("partiprompts",),
        defects=DEFECTS,
    )


PARTIPROMPTS = _protocol("partiprompts", "people's ratings", "ratings", "rating", {}, "rating")
PARTIPROMPTS_HPS = _protocol("partiprompts_hps_v2_1", "HPS v2.1", "embeddings", "hps", {"version": "v2.1"}, "hps_v2_1")
PARTIPROMPTS_PICK = _protocol("partiprompts_pick_score", "PickScore", "embeddings", "pick_score", {}, "pick_score")
