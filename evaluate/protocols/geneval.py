"""GenEval: objects, counts, colours and positions by a detector (Ghosh et al. 2023, arXiv:2310.11513).

The score is the plain mean of six categories. GenEval's own detector has no class in transformers, so that no number of
diptych's judges is called GenEval's without the judge's name behind it; decisions of the original come by import.
"""

from diptych.evaluate.protocols.contract import OFFICIAL, JudgingCost, Protocol, ProtocolRule, PublishedScore

README = "README of djghosh13/geneval at af4902f"
JUDGE = "Mask2Former Swin-S of mmdetection, CLIP ViT-L/14"
PUBLISHED = {
    "CLIP retrieval": 0.35,
    "minDALL-E": 0.23,
    "SD 1.5": 0.43,
    "SD 2.1": 0.50,
    "SDXL": 0.55,
    "IF-XL": 0.61,
}

GENEVAL = Protocol(
    name="geneval",
    title="GenEval: objects, counts, colours and positions by a detector",
    prompts="geneval",
    assets=("geneval-metadata",),
    n_prompts=553,
    ability="boxes",
    cost=JudgingCost(calls=1, tokens=None, images=4, gib=1.9),
    source="Ghosh et al. 2023, arXiv:2310.11513",
    rules={
        OFFICIAL: ProtocolRule(
            "object_accuracy",
            "object_correct",
            "share of images that show all that is asked for, mean over the six categories",
        )
    },
    defects=(
        "The detector finds less on some machines (djghosh13/geneval#15): weights and precision are in the identity.",
        "Rewritten prompts score higher; they are another set of prompts and never share a number.",
        "Of a picture that EXIF turns, upstream seeks things unturned and colours turned; here both are turned.",
        "None of these is of the rule, so official is the only one.",
    ),
    published=tuple(PublishedScore(model, JUDGE, value, README) for model, value in PUBLISHED.items()),
)
