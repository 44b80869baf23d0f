"""DPG-Bench: dense prompts by questions that hang on one another (Hu et al. 2024, arXiv:2403.05135).

An image is the share of its questions, a prompt the mean over its images, the whole the mean over prompts; categories
count questions. Four images of a prompt come as one grid, which ``diptych generate import`` splits. Source:
``dpg_bench/compute_dpg_bench.py`` of TencentQQGYLab/ELLA at 3c228f1.
"""

from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    PublishedScore,
    QuestionPool,
)

FIRST_ITEM = "partiprompts97"  # upstream skips the first row of the table as if it were the header
README = "README of NVlabs/Sana, 1024 x 1024"
PUBLISHED = {
    "PixArt-Sigma": 0.805,
    "Lumina-Next": 0.746,
    "SDXL": 0.747,
    "Playground v2.5": 0.755,
    "Hunyuan-DiT": 0.789,
    "DALL-E 3": 0.835,
    "SD3-medium": 0.841,
    "FLUX.1-dev": 0.840,
    "FLUX.1-schnell": 0.848,
    "Sana-1.6B": 0.848,
}

DPG = Protocol(
    name="dpg",
    title="DPG-Bench: dense prompts by questions that hang on one another",
    prompts="dpg",
    n_prompts=1065,
    ability="answers",
    cost=JudgingCost(calls=None, tokens=None, images=4),
    source="Hu et al. 2024, arXiv:2403.05135",
    rules={
        OFFICIAL: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of questions with yes, zeroed down the table where a parent is; by kind over the last image alone, "
            "whatever parents say",
            {
                "reach": "walked",
                "unanswered": "wrong",
                "reading": "exact",
                "mistakes": {FIRST_ITEM: "without_first"},
            },
            worst="question_accuracy_worst",
            mean_over="prompts",
            pool=QuestionPool(levels=2, is_whole=False, unanswered="wrong", last_only=True),
        ),
        CORRECTED: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of the answered questions with yes, wrong where a parent was answered wrongly; by kind the same, "
            "over all images",
            {"reach": "parents", "unanswered": "left_out"},
            worst="question_accuracy_worst",
            mean_over="prompts",
            pool=QuestionPool(levels=2, reach="parents"),
        ),
    },
    assets=("dpg-bench",),
    defects=(
        f"The first question of the table is lost (ELLA#61), so that {FIRST_ITEM} counts without it, or not at all; "
        "corrected counts it.",
        "Kinds are of the last of a prompt's images alone (ELLA#60), and wrong parents make nothing wrong there; "
        "corrected takes all images, and parents as in the whole.",
        "On several GPUs kinds are scrambled by the order of a set (ELLA#56); no number here is.",
        "A question that was zeroed zeroes those below it, which its own answer would not; corrected looks at answers.",
        "An imported answer that is not yes to the letter, such as 'Yes.', is no; corrected reads what it says.",
        "An image of which an answer fails is left out of the mean; here what has no answer is counted and told.",
    ),
    published=tuple(
        PublishedScore(model, "mPLUG-large, official", value, README) for model, value in PUBLISHED.items()
    ),
)
