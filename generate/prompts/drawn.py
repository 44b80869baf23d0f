"""Prompts about the drawn world with questions that a picture answers with yes; ``diptych demo`` draws them to order.

The category is the plan of the scene. Questions hang on one another, as DSG's do.
"""

from diptych.data.checks import Checks
from diptych.demo.drawn_to_order import orders
from diptych.demo.world.questions import questions_of
from diptych.generate.prompts import Prompt, PromptSet


def drawn() -> PromptSet:
    """Return the prompts of all that is ordered, eight of each plan."""
    prompts = tuple(
        Prompt(one.name, one.prompt, (one.layout,), Checks.model_validate({"questions": questions_of(one.scene)}))
        for one in orders()
    )
    return PromptSet(prompts, "diptych.demo", "Apache-2.0", "")
