"""T2I-CompBench and T2I-CompBench++: eight categories, each a protocol with its judge (Huang et al. 2023, 2025).

Upstream prints a mean over 3,000 images for each category, ten of each prompt, and no number over all. Phrases are
asked of BLIP-VQA, things are looked for by UniDet, of which transformers has no class: its boxes come by import, or
another detector takes its place under its own name. Source: ``BLIPvqa_eval``, ``UniDet_eval`` and ``CLIPScore_eval``
of Karine-Huang/T2I-CompBench at 1b70949.
"""

from dataclasses import replace

from diptych.evaluate.protocols.contract import (
    CORRECTED,
    OFFICIAL,
    JudgingCost,
    Protocol,
    ProtocolRule,
    RulePart,
)

SOURCE = "Huang et al. 2023, arXiv:2307.06350"
SOURCE_PLUS = "Huang et al. 2025, T2I-CompBench++, arXiv:2307.06350v3"
IMAGES = "Upstream reads prompts from names of files and counts them by their place; here an image knows its prompt."
PHRASES = (
    "Phrases are spaCy's there and a rule's of diptych here, which cuts two coloured things alike and long sentences "
    "partly otherwise; a file of spaCy's phrases (prompts: phrases) makes them upstream's, and the prompts then count "
    "as a file of yours.",
    "Each probability and the product are rounded to four digits, and phrases behind the eighth are not asked; "
    "corrected does neither.",
    "Where a phrase has no answer there is no product, and it is told; upstream's run ends.",
    IMAGES,
)
IN_PIXELS = "A picture is measured as upstream scales it, 479 or 480 pixels a side, whatever its size."
UNIDET = (
    "UniDet has no class in transformers: import its boxes (import-evidence --format coco), or name another detector, "
    "whose number carries its name and is not to be held against published ones."
)
PLACES = (
    "'next to' and 'near' hold where two things are near in one direction, however far in the other; corrected wants "
    "both.",
    "What scores below a half is 0, so that two things that are found count nothing where their place is wrong; "
    "corrected counts them.",
    IN_PIXELS,
    UNIDET,
    IMAGES,
)
DEPTHS = (
    "Things in front and behind count nothing where their boxes do not touch, and less the less they share "
    "(T2I-CompBench#23); corrected takes nearness alone.",
    "Boxes that share just a half of their union count nothing; corrected does not look.",
    "Nearness is looked up with its axes swapped; corrected looks into the box.",
    "A label that contains the class is one, and of several the last up to where both are found; corrected takes the "
    "surest of that class.",
    "Nearness is DPT-Hybrid's there (MiDaS), in 256 levels; here the judge boxes_with_depth has it of any network of "
    "depth, or a file of boxes says it.",
    "Four prompts name one class twice, and both things are one box; corrected takes two.",
    UNIDET,
    IMAGES,
)
NUMBERS = (
    "Of a class that is not there every label that contains its name is one, a cupboard a cup; corrected takes labels "
    "that are equal.",
    "A thing before a larger one of its class is taken for the same where nine tenths of it lie within; so it is here.",
    UNIDET,
    IMAGES,
)
SIMILARITY = (
    "Upstream prints the cosine, about 0.31; here it is 100 x max(cosine, 0), as everywhere in diptych.",
    "Its encoder is ViT-B/32 of OpenAI; another one is another number.",
    IMAGES,
)
COMPLEX_PARTS = (
    "'on top of' is no place to upstream's rule, so that the spatial part of 33 of the 300 prompts is 0; corrected "
    "takes it as 'on the top of'.",
    "One prompt that counts a place names none, and its spatial part is 0; corrected leaves that part out.",
    "Upstream takes the noun next before the words of a place, air of 'The yellow cone was suspended in mid-air near "
    "the orange pyramid', which no detector finds, so that the spatial part of 3 prompts is 0; corrected takes cone.",
    "Of a compound (coat rack) upstream looks for its first noun, here for its last word; plurals stay as they are.",
    "CLIP compares with the prompt without its adjectives, spaCy's there, by a rule of words here, which drops nouns "
    "before nouns too; a file of phrases may say the text (without_adjectives).",
    "Upstream puts parts together by their place in three files; here an image knows its prompt.",
    *PHRASES[:3],
    UNIDET,
)


def _counted(score: str, official: str, corrected: str) -> dict[str, ProtocolRule]:
    """Return both ways to count by a score and its column of the same name, with what each counts."""
    says = {OFFICIAL: official, CORRECTED: corrected}
    return {rule: ProtocolRule(score, score, words, {"counting": rule}) for rule, words in says.items()}


def _of_phrases(category: str, calls: float, tokens: int) -> Protocol:
    says = "product over the prompt's noun phrases of P(yes), yes against no; mean over images"
    return Protocol(
        name=f"t2i_compbench_{category}",
        title=f"T2I-CompBench, {category}: the probability of yes to every noun phrase",
        prompts=f"t2i_compbench_{category}",
        n_prompts=300,
        ability="answers",
        cost=JudgingCost(calls=calls, tokens=tokens, images=10, gib=1.4),
        source=SOURCE,
        rules=_counted("phrase_product", says, f"{says}, unrounded and of all phrases"),
        assets=(f"t2i-compbench-{category}_val",),
        defects=PHRASES,
    )


COLOR = _of_phrases("color", 2.3, 12)
SHAPE = _of_phrases("shape", 2.4, 13)
TEXTURE = _of_phrases("texture", 2.5, 12)

SPATIAL = Protocol(
    name="t2i_compbench_spatial",
    title="T2I-CompBench, spatial: how two things lie to each other by a detector",
    prompts="t2i_compbench_spatial",
    n_prompts=300,
    ability="boxes",
    cost=JudgingCost(calls=1, tokens=None, images=10),
    source=SOURCE,
    rules=_counted(
        "place_accuracy",
        "a quarter of how sure the judge is of each thing and half of how well the place holds, 0 below a half; "
        "mean over images",
        "the same without the cut, and what is beside is near in both directions",
    ),
    assets=("t2i-compbench-spatial_val",),
    defects=PLACES,
)

SPATIAL_3D = replace(
    SPATIAL,
    name="t2i_compbench_3d_spatial",
    title="T2I-CompBench++, 3D spatial: what is in front and behind by detector and depth",
    prompts="t2i_compbench_3d_spatial",
    source=SOURCE_PLUS,
    rules=_counted(
        "place_accuracy",
        "a quarter of how sure the judge is of each thing and half of whether the one is nearer, by how much their "
        "boxes share; mean over images",
        "the same, whatever the boxes share",
    ),
    assets=("t2i-compbench-3d_spatial_val",),
    defects=DEPTHS,
)

NUMERACY = Protocol(
    name="t2i_compbench_numeracy",
    title="T2I-CompBench++, numeracy: exact numbers of things by a detector",
    prompts="t2i_compbench_numeracy",
    n_prompts=300,
    ability="boxes",
    cost=JudgingCost(calls=1, tokens=None, images=10),
    source=SOURCE_PLUS,
    rules=_counted(
        "count_accuracy",
        "share of the named things that are there, half of it, and in their exact number, the other half; mean "
        "over images",
        "the same, with labels that are equal to the class",
    ),
    assets=("t2i-compbench-numeracy_val", "t2i-compbench-new_objects"),
    defects=NUMBERS,
)

NON_SPATIAL = Protocol(
    name="t2i_compbench_non_spatial",
    title="T2I-CompBench, non-spatial: CLIP similarity of image and prompt",
    prompts="t2i_compbench_non_spatial",
    n_prompts=300,
    ability="embeddings",
    cost=JudgingCost(calls=1, tokens=None, images=10, gib=0.6),
    source=SOURCE,
    rules={
        OFFICIAL: ProtocolRule(
            "clip_similarity", "clip_similarity", "100 x max(cosine, 0) of image and prompt; mean over images"
        )
    },
    assets=("t2i-compbench-non_spatial_val",),
    defects=SIMILARITY,
)


def _three_in_one(counting: str, nothing_asked: float | None) -> ProtocolRule:
    return ProtocolRule(
        "phrase_product",
        "phrase_product",
        "mean of the product over noun phrases with the place, for prompts of a place, and the CLIP similarity, for "
        f"prompts of an action; mean over images, each part as {counting}",
        {"counting": counting},
        beside={
            "places": RulePart(
                "boxes",
                "place_accuracy",
                "place_accuracy",
                {"counting": counting},
                categories=("spatial", "spatialaction"),
                nothing_asked=nothing_asked,
            ),
            "similarity": RulePart(
                "embeddings",
                "clip_similarity",
                "clip_similarity",
                {"text": "without_adjectives"},
                categories=("action", "spatialaction"),
            ),
        },
    )


COMPLEX = Protocol(
    name="t2i_compbench_complex",
    title="T2I-CompBench, complex: phrases, places and CLIP similarity in one",
    prompts="t2i_compbench_complex",
    n_prompts=300,
    ability="answers",
    cost=JudgingCost(calls=4.8, tokens=20, images=10),
    source=SOURCE,
    rules={OFFICIAL: _three_in_one(OFFICIAL, 0.0), CORRECTED: _three_in_one(CORRECTED, None)},
    assets=(
        "t2i-compbench-complex_val",
        "t2i-compbench-complex_val_spatial",
        "t2i-compbench-complex_val_action",
    ),
    defects=COMPLEX_PARTS,
)
