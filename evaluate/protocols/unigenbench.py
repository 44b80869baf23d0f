"""UniGenBench++: points to look for in ten dimensions (Wang et al. 2025, arXiv:2510.18701).

A dimension is the share of its points over all images; upstream's scorer has no number over all of them, nor is there
one here. Short and long prompts, English and Chinese, are four benchmarks that never share a number. Source:
``eval/src/eval_common.py`` of CodeGoat24/UniGenBench at 49d0bce.
"""

from diptych.evaluate.protocols.contract import OFFICIAL, JudgingCost, Protocol, ProtocolRule, QuestionPool

RULES = {
    OFFICIAL: ProtocolRule(
        "question_accuracy",
        None,
        "share of the answered points that the images show, by dimension and its parts; no number over all",
        {"reach": "none", "unanswered": "left_out"},
        pool=QuestionPool(levels=2, is_whole=False),
    ),
}
DEFECTS = (
    "An image of which upstream cannot parse the answer is skipped without a word; here it is told how many points "
    "have none, and what a dimension is at worst.",
    "Upstream asks for all points of an image in one call, with an analysis before each; here each is a question, so "
    "that no number is Gemini's or that of the released judges unless their answers come by import.",
    "A row of the long English table lacks a comma, which ends upstream's run; here it is read.",
)


def _protocol(name: str, prompts: str, asset: str, calls: float, tokens: int) -> Protocol:
    return Protocol(
        name=name,
        title=f"UniGenBench++, {prompts}: points to look for in ten dimensions",
        prompts=name,
        n_prompts=600,
        ability="answers",
        cost=JudgingCost(calls=calls, tokens=tokens, images=4),
        source="Wang et al. 2025, arXiv:2510.18701",
        rules=RULES,
        assets=(asset,),
        defects=DEFECTS,
    )


UNIGENBENCH = _protocol("unigenbench", "short English prompts", "unigenbench-en", 3.02, 95)
UNIGENBENCH_LONG = _protocol("unigenbench_long", "long English prompts", "unigenbench-en-long", 6.53, 205)
UNIGENBENCH_ZH = _protocol("unigenbench_zh", "short Chinese prompts", "unigenbench-zh", 3.02, 100)
UNIGENBENCH_ZH_LONG = _protocol("unigenbench_zh_long", "long Chinese prompts", "unigenbench-zh-long", 6.53, 225)
