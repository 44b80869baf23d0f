"""OneIG-Bench: alignment, text and reasoning of its five parts, English and Chinese (Chang et al. 2025, 2506.07977).

Alignment is the share of a prompt's questions with yes, no where a parent is; text is a number over all images
together, see ``text_errors``; reasoning is how near an image is to a reference answer. Diversity is a metric and no
protocol, and style is not here, see ``PARTS``. Source: ``scripts`` of OneIG-Bench/OneIG-Benchmark at 41b4983.
"""

from typing import NamedTuple

from diptych.asset_families import ONEIG_EN, ONEIG_ZH
from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    TextErrors,
)

SOURCE = "Chang et al. 2025, arXiv:2506.07977"
QWEN_GIB = 15.4  # of Qwen2.5-VL-7B in half precision
PARTS = (
    "Of OneIG-Bench's five parts two are no protocols: diversity is the metric prompt_diversity over the encoder "
    "dreamsim, and style, by CSD and OneIG-StyleEncoder against upstream's embeddings, is not here.",
    "Upstream's images are grids of four, cut and saved as JPEG before they are judged; here images are judged as they "
    "are. A black one is upstream's sign of none and left out without a word; here it is judged as any other, and "
    "generate import names it.",
    "A file that is not there, or two that begin with one id, leave the prompt out of the mean without a word; here it "
    "is counted and told.",
)
TEXT_DEFECTS = (
    "The text is compared with its list as Python writes it, so that a line break is the letter n; corrected has a "
    "space there.",
    "Letters beyond a list are dropped (most accents, other scripts); corrected keeps those of every script.",
    "Upstream's judge is stopped after 128 tokens, or 256 where a text has over 60 words between spaces, which no "
    "Chinese one has, so that long texts are never read whole. Here the limit is the judge's (max_text_tokens); "
    "corrected gives what was not read to its end no number.",
    "Where all four images are black, upstream compares what was read of the prompt before; here nothing is.",
    "The judge is told not to repeat itself, though a word that is asked for twice counts twice.",
)


class _Language(NamedTuple):
    """What the three parts of a language have in common: its name, kind of prompts and files."""

    name: str
    prompts: str
    assets: tuple[str, ...]


ENGLISH = _Language("English", "oneig", tuple(f"oneig-en-{one}" for one in ONEIG_EN))
CHINESE = _Language("Chinese", "oneig_zh", tuple(f"oneig-zh-{one}" for one in ONEIG_ZH))


def _alignment(name: str, language: _Language, cost: tuple[int, float, int]) -> Protocol:
    n_prompts, calls, tokens = cost
    return Protocol(
        name=name,
        title=f"OneIG-Bench, {language.name}: alignment by questions that hang on one another",
        prompts=language.prompts,
        n_prompts=n_prompts,
        ability="answers",
        cost=JudgingCost(calls=calls, tokens=tokens, images=4, gib=QWEN_GIB),
        source=SOURCE,
        rules={
            OFFICIAL: ProtocolRule(
                "question_accuracy",
                "question_accuracy",
                "share of questions with yes, no where a parent's answer is; mean over the images of a prompt, then "
                "over prompts, and by kind, length and form of the prompt",
                {"reach": "parents", "unanswered": "wrong", "reading": "capital"},
                worst="question_accuracy_worst",
                mean_over="prompts",
            ),
            CORRECTED: ProtocolRule(
                "question_accuracy",
                "question_accuracy",
                "the same over the questions that were answered",
                {"reach": "parents", "unanswered": "left_out"},
                worst="question_accuracy_worst",
                mean_over="prompts",
            ),
        },
        assets=language.assets,
        defects=(
            "Whatever is not Yes to the letter, such as 'Yes.' or 'yes', is no, as of what is imported; a judge here "
            "says how likely yes and no are. Corrected reads what is said, and counts apart what is neither.",
            "Upstream asks in one more sentence for Yes or No only; here the judge's first token is held against both.",
            *PARTS,
        ),
    )


def _text_rules(most_edits: int) -> dict[str, ProtocolRule]:
    formula = f"1 - min({most_edits}, edits) x (1 - share read exactly) x (1 - share of words read) / {most_edits}"
    every = {"letters": "all", "cut": "left_out", "most_edits": most_edits}
    return {
        OFFICIAL: ProtocolRule(
            "text_edits",
            None,
            f"{formula}, of the mean edits and the shares over all images",
            {"letters": "listed", "cut": "counted", "most_edits": most_edits},
            pool=TextErrors(most_edits, "mean"),
        ),
        CORRECTED: ProtocolRule(
            "text_edits",
            None,
            f"the same with all letters and at most {most_edits} edits of an image, of those read to their end",
            every,
            pool=TextErrors(most_edits, "image"),
        ),
        "images": ProtocolRule(
            "text_edits",
            "text_score",
            "the formula of each image as in corrected; mean over images, by which models are compared",
            every,
        ),
    }


def _text(name: str, language: _Language, most_edits: int) -> Protocol:
    return Protocol(
        name=name,
        title=f"OneIG-Bench, {language.name}: text by edits and by words that are read",
        prompts=language.prompts,
        n_prompts=200,
        ability="text",
        cost=JudgingCost(calls=1, tokens=None, images=4, gib=QWEN_GIB),
        source=SOURCE,
        rules=_text_rules(most_edits),
        assets=language.assets,
        defects=(
            f"The most of {most_edits} edits is that of the mean: one judge that goes on for thousands of letters "
            "decides it for all images; corrected has it of each.",
            *TEXT_DEFECTS,
            *PARTS,
        ),
    )


def _reasoning(name: str, language: _Language) -> Protocol:
    return Protocol(
        name=name,
        title=f"OneIG-Bench, {language.name}: how near an image is to the answer to its prompt",
        prompts=language.prompts,
        n_prompts=225,
        ability="embeddings",
        cost=JudgingCost(calls=1, tokens=None, images=4),
        source=SOURCE,
        rules={
            OFFICIAL: ProtocolRule(
                "reference_cosine",
                "reference_cosine",
                "cosine of an image and the reference answer of its prompt, neither cut at 0 nor scaled; mean over "
                "the images of a prompt, then over prompts",
                mean_over="prompts",
            ),
        },
        assets=language.assets,
        defects=(
            "Upstream's encoder is LLM2CLIP, which reads long texts and is not here: no number is its, and one of an "
            "encoder that cuts answers (of up to 773 letters; CLIP reads 77 tokens) says so in reference_truncated.",
            "An image that is called by no id ends upstream's run, and so does a picture that cannot be read; here "
            "they are told.",
            *PARTS,
        ),
    )


ONEIG_ALIGNMENT = _alignment("oneig_alignment", ENGLISH, (695, 16.2, 180))
ONEIG_ALIGNMENT_ZH = _alignment("oneig_alignment_zh", CHINESE, (895, 15.4, 150))
ONEIG_REASONING = _reasoning("oneig_reasoning", ENGLISH)
ONEIG_REASONING_ZH = _reasoning("oneig_reasoning_zh", CHINESE)
ONEIG_TEXT = _text("oneig_text", ENGLISH, 100)
ONEIG_TEXT_ZH = _text("oneig_text_zh", CHINESE, 50)
