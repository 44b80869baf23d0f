"""BizGenEval: checklists for commercial pictures, in which each error takes a part away (Li et al. 2026).

An image has three numbers: over its 20 questions with a penalty of 0.1, and over the 10 easy and the 10 hard ones with
0.2. Upstream averages domains or dimensions which have equally many prompts: of all 400 that is the mean over images.
Source: ``evaluation/summarize.py`` of microsoft/BizGenEval at 39e1bdc.
"""

from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    PublishedScore,
)

PAGE = "docs/index.html of microsoft/BizGenEval at 39e1bdc"
PUBLISHED = {  # hard, easy
    "GPT-Image-2.0": (0.832, 0.953),
    "Nano-Banana-Pro": (0.767, 0.937),
    "Nano-Banana-2.0": (0.685, 0.925),
    "Seedream-5.0": (0.488, 0.792),
    "GPT-Image-1.5": (0.359, 0.816),
    "Seedream-4.5": (0.301, 0.662),
    "Wan2.6-T2I": (0.219, 0.587),
    "Seedream-4.0": (0.143, 0.601),
    "GPT-Image-1.0": (0.112, 0.524),
    "HunyuanImage-2.1": (0.086, 0.277),
    "Z-Image": (0.082, 0.438),
    "Qwen-Image-2512": (0.063, 0.410),
}


def _rules(name: str, says: str, unanswered: str, reading: str) -> dict[str, ProtocolRule]:
    tracks = {"": ("all 20 questions", 0.1), "easy": ("the 10 easy questions", 0.2), "hard": ("the 10 hard ones", 0.2)}
    return {
        f"{name}_{tag}" if tag else name: ProtocolRule(
            "checklist_score",
            "checklist_score",
            f"1 less {penalty} for each error among {of}, at least 0; {says}",
            {"penalty": penalty, "tag": tag, "unanswered": unanswered, "reading": reading},
            worst="checklist_score_worst",
        )
        for tag, (of, penalty) in tracks.items()
    }


BIZGENEVAL = Protocol(
    name="bizgeneval",
    title="BizGenEval: checklists for slides, charts, web pages, posters and figures",
    prompts="bizgeneval",
    n_prompts=400,
    ability="answers",
    cost=JudgingCost(calls=20.0, tokens=620, images=1),
    source="Li et al. 2026, arXiv:2603.25732",
    rules={
        **_rules(OFFICIAL, "without an answer it is an error", "wrong", "truth"),
        **_rules(CORRECTED, "an image with a question without an answer has no number", "left_out", "meant"),
    },
    assets=("bizgeneval",),
    defects=(
        "An answer that is missing, or neither true nor false (yes and no, 1 and 0) to the letter, is an error of the "
        "image; corrected reads what means yes or no, counts other images apart, and tells what the mean is at worst.",
        "A picture that is not there is left out of the mean without a word; here it is counted and told.",
        "Upstream asks for all 20 questions in one call, by rules of its own for each dimension, of which doubt is no "
        "but in layout (the judge's option system may say so): no number is Gemini's "
        "unless its answers come by import.",
    ),
    published=tuple(
        PublishedScore(f"{model}, {track}", f"gemini-3-flash-preview, official_{track}", value, PAGE)
        for model, values in PUBLISHED.items()
        for track, value in zip(("hard", "easy"), values, strict=True)
    ),
)
