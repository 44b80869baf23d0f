"""TIIF-Bench: does a picture follow a short or a long prompt, by yes-or-no questions, and in words (Wei et al. 2025).

A type of prompts is the share of its questions that are right, a group the mean over its types, the whole the mean over
nine groups. Short and long prompts, all and the 277 of ``testmini``, are four benchmarks that never share a number.
Words to be written are counted apart, by what a judge reads. Source: ``eval`` of A113N-W3I/TIIF-Bench at 3aae750.
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

ANSWERS = "from the answers in eval-results of A113N-W3I/TIIF-Bench at 3aae750"
# By the answers of GPT-4o that upstream has of all 277 prompts: short, long.
PUBLISHED = {
    "Hunyuan-DiT": (0.5155, 0.5345),
    "Infinity": (0.6224, 0.6249),
    "Janus-Pro": (0.6667, 0.6519),
    "Lumina-Next": (0.5110, 0.5263),
    "PixArt-Sigma": (0.6217, 0.5829),
    "PixArt-alpha": (0.4454, 0.5067),
    "SANA 1.5": (0.6732, 0.6590),
    "SANA-Sprint": (0.6385, 0.5867),
    "SD 1.5": (0.4176, 0.3265),
    "SD 2.1": (0.4760, 0.4040),
    "SD3": (0.6765, 0.6622),
    "SD3.5": (0.7166, 0.6742),
    "SDXL": (0.5514, 0.4230),
    "Show-o": (0.5989, 0.5903),
}
DEFECTS = (
    "A picture that is not there, as one that a model refused, is left out without a word, and so is a group of which "
    "none is there: of FLUX Pro upstream has answers to 7 of 9 groups. Here each is counted and told.",
    "A question that a prompt asks twice, as 5 prompts do, counts twice; corrected counts it once.",
    "An imported answer is the yes or no that it begins with; corrected finds a choice elsewhere and in bold too.",
    "An answer that cannot be parsed is asked for again without end, at temperature 1 and in words drawn at random; "
    "here it is told, and nothing is drawn.",
    "Upstream asks for all questions of a picture in one call; here each is asked by itself, so that no number is "
    "GPT-4o's unless its answers come by import.",
    "The 100 real-world prompts are the same, short and long.",
    "A row of Qwen-Image on the leaderboard could not be made again (TIIF-Bench#12); it is not among the published.",
)
TEXT_DEFECTS = (
    "Lines that are read are split at spaces, texts that are asked for are not: one of two words is never found. An "
    "empty word is read at every second space. Corrected splits both, and drops what is empty.",
    "A word takes the first near one, which another may need; corrected finds as many as can be.",
    "A file that cannot be read has GNED 0, the best there is; here it is no number, and told.",
    "Upstream reads by PaddleOCR, and leaves it to its user which words were asked for; here those that its questions "
    "name are.",
)
RULES = {
    OFFICIAL: ProtocolRule(
        "question_accuracy",
        None,
        "share of the answered questions that are right by type of prompt, then the mean over types, then over groups",
        {"reach": "none", "unanswered": "left_out", "reading": "first_word"},
        pool=QuestionPool(levels=2, of_kinds=True),
    ),
    CORRECTED: ProtocolRule(
        "question_accuracy",
        None,
        "the same, a question that a prompt asks twice counting once",
        {"reach": "none", "unanswered": "left_out", "repeats": "lost"},
        pool=QuestionPool(levels=2, of_kinds=True),
    ),
}
TEXT_RULES = {
    f"{rule}{of}": ProtocolRule("text_distance", column, says, {"words": words})
    for rule, words in ((OFFICIAL, "upstream"), (CORRECTED, "whole"))
    for of, column, says in (
        ("", "text_distance", "GNED: edit distance of the words that are read, mean over images; lower is better"),
        (
            "_recall",
            "text_recall",
            "share of the words asked for that are read with few wrong letters, mean over images",
        ),
    )
}
SOURCE = "Wei et al. 2025, arXiv:2506.02161"


def _questions(name: str, what: str, folder: str, n_prompts: int, cost: JudgingCost, column: int | None) -> Protocol:
    published = PUBLISHED if column is not None else {}
    return Protocol(
        name=name,
        title=f"TIIF-Bench, {what}: yes-or-no questions in nine groups",
        prompts=name,
        n_prompts=n_prompts,
        ability="answers",
        cost=cost,
        source=SOURCE,
        rules=RULES,
        folder=folder,
        defects=DEFECTS,
        published=tuple(
            PublishedScore(model, "GPT-4o, official", values[column or 0], ANSWERS)
            for model, values in published.items()
        ),
    )


def _text(of: Protocol, what: str, n_prompts: int) -> Protocol:
    return Protocol(
        name=of.name.replace("tiif", "tiif_text"),
        title=f"TIIF-Bench, text of {what}: words that are read",
        prompts=of.prompts,
        n_prompts=n_prompts,
        ability="text",
        cost=JudgingCost(calls=1.0, tokens=None, images=1),
        source=SOURCE,
        rules=TEXT_RULES,
        folder=of.folder,
        defects=TEXT_DEFECTS,
    )


# Of upstream's two judges the memory of the one that can be had, Qwen2.5-VL-72B in bf16.
_ALL = JudgingCost(calls=4.8, tokens=65, images=1, gib=137)
_MINI = JudgingCost(calls=5.2, tokens=80, images=1, gib=137)
TIIF_SHORT = _questions("tiif_short", "short prompts", "tiif", 2538, _ALL, None)
TIIF_LONG = _questions("tiif_long", "long prompts", "tiif", 2538, _ALL, None)
TIIF_MINI_SHORT = _questions("tiif_mini_short", "277 short prompts", "tiif-mini", 277, _MINI, 0)
TIIF_MINI_LONG = _questions("tiif_mini_long", "277 long prompts", "tiif-mini", 277, _MINI, 1)
TIIF_TEXT_SHORT = _text(TIIF_SHORT, "short prompts", 300)
TIIF_TEXT_LONG = _text(TIIF_LONG, "long prompts", 300)
TIIF_TEXT_MINI_SHORT = _text(TIIF_MINI_SHORT, "30 short prompts", 30)
TIIF_TEXT_MINI_LONG = _text(TIIF_MINI_LONG, "30 long prompts", 30)
