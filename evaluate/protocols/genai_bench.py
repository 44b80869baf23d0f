"""GenAI-Bench: VQAScore by skill, basic and advanced (Li et al. 2024, arXiv:2406.13743).

An image is the probability of Yes to whether it shows its prompt, the whole the mean over images. Three people rated
each image of six models; their ratings come by import. Source: ``genai_bench/evaluate.py`` of linzhiqiu/t2v_metrics at
6ecb74f.
"""

from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    PublishedScore,
)

README = "genai_bench/model_performance_vqacore.md of linzhiqiu/t2v_metrics"
PUBLISHED = {  # basic, advanced, all by CLIP-FlanT5-XXL; all by GPT-4o
    "SD 2.1": (0.75, 0.60, 0.67, 0.44),
    "SDXL-Turbo": (0.80, 0.63, 0.71, 0.56),
    "SDXL": (0.82, 0.63, 0.72, 0.48),
    "DeepFloyd-IF": (0.82, 0.63, 0.71, 0.55),
    "Midjourney v6": (0.86, 0.68, 0.76, 0.61),
    "DALL-E 3": (0.90, 0.69, 0.78, 0.68),
}


def _published() -> tuple[PublishedScore, ...]:
    found = []
    for model, (basic, advanced, whole, by_gpt) in PUBLISHED.items():
        for what, value in ((", basic", basic), (", advanced", advanced), ("", whole)):
            found.append(PublishedScore(f"{model}{what}", "CLIP-FlanT5-XXL, official", value, README))
        found.append(PublishedScore(model, "GPT-4o, official", by_gpt, README))
    return tuple(found)


GENAI_BENCH = Protocol(
    name="genai_bench",
    title="GenAI-Bench: VQAScore by skill, basic and advanced",
    prompts="genai_bench",
    n_prompts=1600,
    ability="answers",
    cost=JudgingCost(calls=1, tokens=35, images=1),
    source="Li et al. 2024, arXiv:2406.13743",
    rules={
        OFFICIAL: ProtocolRule(
            "vqa_score",
            "vqa_score",
            "probability of Yes to whether the image shows its prompt; mean over the prompts that have a skill, and by "
            "skill",
            with_category=True,
        ),
        CORRECTED: ProtocolRule("vqa_score", "vqa_score", "the same, over all prompts"),
    },
    assets=("genai-bench", "genai-bench-skills"),
    summation="official",
    defects=(
        "Seven prompts are neither basic nor advanced and have no skill, so that upstream makes and judges images that "
        "no number counts; corrected counts them in the whole.",
        "Upstream's run ends where an image is missing; here it is told how many are, and what the mean is at worst.",
        "Published numbers are of two judges, and neither ranks SDXL, SDXL-Turbo and DeepFloyd-IF as people do: a "
        "judge's ranking wants people's ratings beside it (import-evidence --format genai_bench).",
        "Two of the 28,800 released ratings are slips: 41 for DALL-E 3 (prompt 00231), 33 for DeepFloyd-IF (00252). "
        "The published means count them: 3.820 and 3.359; without them they are 3.812 and 3.353.",
        "Upstream takes the probability of Yes however little Yes and No have together. So does a judge with the "
        "option summation: official; the usual one, distinct, has no answer where it is less than half, and its number "
        "has another name, genai_bench_official_JUDGE_distinct.",
        "The words of the question changed between releases (yes or no, Yes or No); here they are those of 3.1.",
    ),
    published=_published(),
)
