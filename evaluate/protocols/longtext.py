"""LongText-Bench: which share of the words that a prompt asks for is read (Geng et al. 2025, arXiv:2507.22058).

The share is of all words of all prompts, so that a long prompt counts for more; of Chinese, of characters. Source:
``textbench`` of X-Omni-Team/X-Omni at 2b8237b.
"""

from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    WeightedImages,
)

POOL = WeightedImages("text_accuracy", "text_expected")
DEFECTS = (
    "Letters beyond a list are dropped (most accents, other scripts), and Chinese texts are compared with their case; "
    "corrected keeps the letters of every script, and no case.",
    "Upstream reads by Qwen2.5-VL-7B, a copy that many use by the 32B: two judges, and two labels here; both are the "
    "judge vision_language with those weights, which asks for text in upstream's words.",
    "Upstream's judge is told not to repeat itself, though a word that is asked for twice counts twice.",
    "A judge that goes on for 1,024 tokens is stopped, and what it said counts as read; corrected gives such an image "
    "no number, tells how many there are, and what the share is at worst.",
    "Where a judge says that there is no text, upstream drops those words with their full stop alone, and else looks "
    "for them among the words asked for; here they are none.",
    "What is read beside the text costs nothing, and its order does not count.",
)


def _protocol(name: str, language: str, asset: str, unit: str) -> Protocol:
    says = f"share of the {unit} of all prompts that are read, as a bag"
    return Protocol(
        name=name,
        title=f"LongText-Bench, {language}: {unit} that are read",
        prompts=name,
        n_prompts=160,
        ability="text",
        cost=JudgingCost(calls=1, tokens=None, images=4, gib=15.4),
        source="Geng et al. 2025, arXiv:2507.22058",
        rules={
            OFFICIAL: ProtocolRule(
                "text_accuracy", None, says, {"unit": unit, "letters": "listed", "cut": "counted"}, pool=POOL
            ),
            CORRECTED: ProtocolRule(
                "text_accuracy",
                None,
                f"{says}, with all letters, of images that were read to their end",
                {"unit": unit, "letters": "all", "cut": "left_out"},
                pool=POOL,
            ),
        },
        assets=(asset,),
        defects=DEFECTS,
    )


LONGTEXT = _protocol("longtext", "English", "longtext-en", "words")
LONGTEXT_ZH = _protocol("longtext_zh", "Chinese", "longtext-zh", "characters")
