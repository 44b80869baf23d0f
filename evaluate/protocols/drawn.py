"""Questions about the drawn world: what ``diptych demo`` draws to order, judged as DSG judges.

A question counts as wrong where a parent was answered wrongly; an image is the share of its answered questions, the
whole the mean over images. With the judge ``drawn_truth`` it is exactly what was drawn. No benchmark counts so.
"""

from diptych.evaluate.protocols.contract import MEAN, JudgingCost, Protocol, ProtocolRule

DRAWN_QUESTIONS = Protocol(
    name="drawn_questions",
    title="The drawn world of the demo: questions that the truth can answer",
    prompts="drawn",
    n_prompts=40,
    ability="answers",
    cost=JudgingCost(calls=None, tokens=None, images=1),
    source="diptych demo",
    rules={
        MEAN: ProtocolRule(
            "question_accuracy",
            "question_accuracy",
            "share of the answered questions with yes, wrong where a parent was answered wrongly; mean over images, "
            "and by plan of the scene",
            {"reach": "parents", "unanswered": "left_out"},
            worst="question_accuracy_worst",
        )
    },
    is_own=True,
)
