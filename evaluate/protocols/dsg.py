"""DSG-1k: questions from a scene graph, each of which hangs on others (Cho et al. 2024, arXiv:2310.18235).

A question counts as wrong where a parent was answered wrongly, one level up; an image is the share of its questions,
the whole the mean over images. Upstream's own figures follow from its released answers, see the tests.
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

# The items of which upstream's table has words among the dependencies (``5, right``): its parser gives up, and all
# questions of the item count by themselves.
WITHOUT_DEPENDENCIES = (
    "posescript_19",
    "posescript_41",
    "posescript_55",
    "posescript_69",
    "stanford_paragraph_54",
    "stanford_paragraph_55",
    "stanford_paragraph_72",
    "tifa160_67",
)
README = "README of j-min/DSG at 7330119"
PUBLISHED = {  # of one judge and one model: the whole, and by category
    "all": 0.805,
    "count": 0.704,
    "defying": 0.844,
    "paragraph": 0.851,
    "pose": 0.896,
    "real_user": 0.897,
    "relation": 0.344,
    "text": 0.837,
    "tifa": 0.881,
}

DSG = Protocol(
    name="dsg",
    title="DSG-1k: questions from a scene graph, which hang on one another",
    prompts="dsg",
    assets=("dsg-1k",),
    n_prompts=1060,
    ability="answers",
    cost=JudgingCost(calls=7.7, tokens=110, images=1),
    source="Cho et al. 2024, arXiv:2310.18235",
    rules={
        OFFICIAL: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of questions with yes, a question wrong where a parent is; without an answer it is wrong",
            {
                "reach": "parents",
                "unanswered": "wrong",
                "reading": "exact",
                "mistakes": dict.fromkeys(WITHOUT_DEPENDENCIES, "no_reach"),
            },
            worst="question_accuracy_worst",
        ),
        CORRECTED: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "the same over the questions that were answered, with the dependencies of all items",
            {"reach": "parents", "unanswered": "left_out"},
            worst="question_accuracy_worst",
            pool=QuestionPool(reach="parents"),
        ),
    },
    defects=(
        "Words among the dependencies of 8 items switch all of theirs off; corrected keeps the numbers.",
        "An imported answer that is not yes to the letter, such as 'Yes.', is no; corrected reads what it says.",
        "A question without an answer is wrong; corrected leaves it out and counts it apart.",
    ),
    published=tuple(
        PublishedScore("SD 2.1" if name == "all" else f"SD 2.1, {name}", "PaLI 17B, official", value, README)
        for name, value in PUBLISHED.items()
    ),
)
