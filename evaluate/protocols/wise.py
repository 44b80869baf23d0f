"""WISE: does a picture show what only knowledge tells of its prompt (Niu et al. 2025, arXiv:2503.07265).

Two benchmarks that never share a number: the verified prompts with one grade of 0 or 1, since April 2026, and the
legacy ones with three grades. Upstream weights the means of six categories by fixed numbers, which are their parts of
the 1,000 prompts, so that a grade that cannot be read leaves the mean of its own category alone. Source:
``calculate_verified.py`` and ``WISE_legacy/Calculate.py`` of PKU-YuanGroup/WISE at eb51174.
"""

from collections.abc import Mapping

from diptych.asset_families import WISE_LEGACY
from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    PublishedScore,
)

BOARD = "leadboard.md of PKU-YuanGroup/WISE at eb51174"
# Of one judge: the whole, culture, time, space, biology, physics, chemistry. DeepGen 1.0 is left out: its whole, 0.57,
# is not what its categories give, and these are no shares of their numbers of prompts.
PUBLISHED = {
    "NanoBanana-Pro": (0.8760, 0.8975, 0.8167, 0.9333, 0.8167, 0.8667, 0.8750),
    "GPT-Image-1.5": (0.8250, 0.8900, 0.6917, 0.8833, 0.8000, 0.7583, 0.7750),
    "BAGEL (w/ CoT)": (0.6280, 0.7800, 0.6333, 0.5667, 0.3750, 0.5500, 0.5083),
    "FLUX.2-dev": (0.5650, 0.6650, 0.5667, 0.6583, 0.3667, 0.5250, 0.3750),
    "QwenImage": (0.5100, 0.6275, 0.5250, 0.5583, 0.3417, 0.4833, 0.2500),
    "Qwen-Image-2512": (0.4990, 0.5950, 0.4750, 0.6000, 0.3500, 0.4917, 0.2583),
    "Z-Image": (0.4530, 0.5475, 0.4667, 0.5083, 0.3250, 0.4750, 0.1750),
    "FLUX.1-dev": (0.4160, 0.5225, 0.4000, 0.5333, 0.1750, 0.3750, 0.2417),
    "SD-3.5-large": (0.4040, 0.4900, 0.4083, 0.4417, 0.3000, 0.3750, 0.2083),
    "FLUX.1-schnell": (0.3640, 0.4650, 0.3250, 0.4667, 0.2083, 0.3833, 0.1000),
    "Janus-Pro-7B": (0.3340, 0.3700, 0.3500, 0.2833, 0.2833, 0.4000, 0.2333),
    "SD-1.5": (0.3090, 0.4450, 0.3083, 0.2083, 0.2083, 0.2167, 0.1500),
}
WORDS = (
    "The question has words of diptych's own, as upstream's have no licence: no number is that of upstream's judge "
    "unless its answers come by import."
)


VERIFIED_PARTS = {"culture": 0.4, "time": 0.12, "space": 0.12, "biology": 0.12, "physics": 0.12, "chemistry": 0.12}
LEGACY_PARTS = {"culture": 0.4, "time": 0.167, "space": 0.133, "biology": 0.1, "physics": 0.1, "chemistry": 0.1}


def _rules(form: str, says: str, parts: Mapping[str, float]) -> dict[str, ProtocolRule]:
    return {
        OFFICIAL: ProtocolRule(
            "wise_score",
            "wise_score",
            f"{says}; mean over images by category and over the six by upstream's weights, of the first digits behind "
            f"the names",
            {"form": form, "parser": "upstream"},
            mean_over="categories",
            category_parts=parts,
        ),
        CORRECTED: ProtocolRule(
            "wise_score",
            "wise_score",
            "the same of grades that can be read one way",
            {"form": form, "parser": "whole"},
            mean_over="categories",
            category_parts=parts,
        ),
    }


WISE = Protocol(
    name="wise",
    title="WISE, verified: pictures of what only knowledge tells, right or not",
    prompts="wise",
    n_prompts=1000,
    ability="answers",
    cost=JudgingCost(calls=1.0, tokens=170, images=1),
    source="Niu et al. 2025, arXiv:2503.07265; verified in 2026",
    rules=_rules("verified", "0 or 1 for an image", VERIFIED_PARTS),
    assets=("wise-verified",),
    defects=(
        "What cannot be read is left out of upstream's file, and one prompt that is not there ends its count; "
        "a row without a grade passes that look and leaves the mean of its category without a word. Here both are "
        "told, and there is no number where a category has no grade at all.",
        "A grade that came as a number is left out where it is neither 0 nor 1, and so it is here.",
        "The first digit is the grade: 0 of 'Score: 0.5' and of 'Score: 0 or Score: 1'; and '**Score:** 1' is none. "
        "Corrected reads bold, and calls the others unparsed.",
        "Of DeepGen 1.0 the leaderboard's whole does not follow from its categories; it is not among the published.",
        WORDS,
    ),
    published=tuple(
        PublishedScore(model, "Qwen3.5-35B-A3B, official", whole, BOARD) for model, (whole, *_) in PUBLISHED.items()
    ),
)

WISE_BEFORE = Protocol(
    name="wise_legacy",
    title="WISE, before 2026: consistency, realism and beauty of pictures of what only knowledge tells",
    prompts="wise_legacy",
    n_prompts=1000,
    ability="answers",
    cost=JudgingCost(calls=1.0, tokens=180, images=1),
    source="Niu et al. 2025, arXiv:2503.07265",
    rules=_rules("legacy", "(0.7 consistency + 0.2 realism + 0.1 beauty) / 2 for an image", LEGACY_PARTS),
    assets=tuple(f"wise-{name}" for name in WISE_LEGACY),
    defects=(
        "An answer of which a grade cannot be read is left out of upstream's file; here it is counted and told.",
        "Grades that came as numbers count whatever they are, 2.5 too; corrected takes those from 0 to 2.",
        "Any digit is a grade, also of 'Realism: 5' or 'Realism: 10'; corrected calls it unparsed.",
        "The numbers of one GPT-4o are not those of another: .62 published, .54 measured again (WISE#12).",
        WORDS,
    ),
)
