"""TIFA: questions with choices about the elements of a caption (Hu et al. 2023, arXiv:2303.11897).

A caption is the share of its questions, the whole the mean over captions; types of elements count questions. Upstream
asks for free words and takes the choice that is nearest to them by SBERT; a judge here chooses by itself, and what
upstream's chose comes by import. Source: ``tifascore/tifa_score.py`` of Yushi-Hu/tifa at 8e37050.
"""

from diptych.evaluate.protocols.contract import CORRECTED, OFFICIAL, JudgingCost, Protocol, ProtocolRule, QuestionPool

TIFA = Protocol(
    name="tifa",
    title="TIFA v1.0: questions with choices about the elements of a caption",
    prompts="tifa",
    n_prompts=4081,
    ability="answers",
    cost=JudgingCost(calls=6.1, tokens=120, images=1),
    source="Hu et al. 2023, arXiv:2303.11897",
    rules={
        OFFICIAL: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of questions with the right choice, mean over images; by type of element over questions",
            {"reach": "none", "unanswered": "wrong"},
            worst="question_accuracy_worst",
            pool=QuestionPool(is_whole=False, unanswered="wrong"),
        ),
        CORRECTED: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "the same over the questions that were answered",
            {"reach": "none", "unanswered": "left_out"},
            worst="question_accuracy_worst",
            pool=QuestionPool(),
        ),
    },
    assets=("tifa-v1",),
    defects=(
        "A picture that is not there ends upstream's run; here it is counted and told.",
        "A question without an answer is wrong; corrected leaves it out and tells how many there are, and why.",
    ),
)
