"""T2I-CoReBench: composition and reasoning by checklists (Li et al. 2025, arXiv:2509.03516).

An image is the share of its answered questions with yes, a dimension the mean over images. Its authors held nineteen
judges against people and publish how often they agree. Source: ``evaluate.py`` and README of KlingTeam/T2I-CoReBench at
ebf7b7a.
"""

from diptych.asset_families import CORE_DIMENSIONS
from diptych.evaluate.protocols.contract import CORRECTED, OFFICIAL, JudgeAgreement, JudgingCost, Protocol, ProtocolRule

README = "README of T2I-CoReBench, asked as upstream asks"
AGREEMENTS = {  # mean of the balanced accuracy in MI, MA, MR and TR
    "Qwen2.5-VL-72B-Instruct": 0.706,
    "InternVL3-78B": 0.629,
    "GLM4.5V-106B": 0.678,
    "Qwen3-VL-8B-Instruct": 0.625,
    "Qwen3-VL-8B-Thinking": 0.738,
    "Qwen3-VL-32B-Instruct": 0.695,
    "Qwen3-VL-32B-Thinking": 0.775,
    "Qwen3-VL-30B-A3B-Instruct": 0.696,
    "Qwen3-VL-30B-A3B-Thinking": 0.774,
    "Qwen3.5-9B": 0.784,
    "Qwen3.5-27B": 0.809,
    "Qwen3.5-35B-A3B": 0.793,
    "GPT-4o": 0.703,
    "o3": 0.821,
    "o4-mini": 0.791,
    "Gemini-2.5-Pro": 0.826,
    "Gemini-2.5-Flash": 0.811,
    "Gemini-2.5-Flash-Lite": 0.654,
    "Gemini-2.0-Flash": 0.698,
}

T2I_COREBENCH = Protocol(
    name="t2i_corebench",
    title="T2I-CoReBench: composition and reasoning by checklists",
    prompts="t2i_corebench",
    n_prompts=1080,
    ability="answers",
    cost=JudgingCost(calls=12.5, tokens=180, images=1),
    source="Li et al. 2025, arXiv:2509.03516",
    rules={
        OFFICIAL: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of the answered questions with yes; mean over images in each of twelve dimensions, then over these",
            {"reach": "none", "unanswered": "left_out", "reading": "yes_anywhere"},
            worst="question_accuracy_worst",
            mean_over="categories",
        ),
        CORRECTED: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "the same, an answer being the one with which it begins, or the only one in it",
            {"reach": "none", "unanswered": "left_out"},
            worst="question_accuracy_worst",
            mean_over="categories",
        ),
    },
    assets=tuple(f"t2i-corebench-{name}" for name in CORE_DIMENSIONS),
    defects=(
        "A yes wherever it stands in what is said is yes, else a no is no, also of 'No: a yes would need two cats' "
        "(capitals count as Gemini's do; of other judges upstream reads small letters alone). Corrected takes the one "
        "with which an answer begins, or the only one in it.",
        "What cannot be parsed is left out without a word; here it is told how much that is, and what it is at worst.",
        "Upstream shows its judge the prompt and says that doubt is no (the judge's option system may say so): a judge "
        "that is asked otherwise is another one, and need not agree with people as often.",
    ),
    agreements=tuple(JudgeAgreement(name, value, "balanced accuracy", README) for name, value in AGREEMENTS.items()),
)
