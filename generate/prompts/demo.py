"""Prompts about the drawn world: single objects, counts, pairs, relations and occupations, with what should be seen.

They are words for scenes of seeds that nothing was trained on. The category is the plan of the scene; what should be
seen has GenEval's form, so that the same judges can read it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from diptych.data.checks import Checks
from diptych.demo.world.captions import distinct_captions, prompt_of
from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import LAYOUTS, Layout, Scene
from diptych.demo.world.seeds import DEMO_PROMPTS
from diptych.demo.world.things import KINDS
from diptych.demo.world.words import NUMBERS
from diptych.errors import ConfigError
from diptych.generate.prompts import Prompt, PromptSet
from diptych.lookup import describe_unknown

SEEDS_PER_LAYOUT = 1_000_000
# Of how many prompts it is worth looking for another; of two things there are far more, found in seconds.
MOST: dict[Layout, int] = {
    "single": len(KINDS) * len(COLOURS),
    "count": len(KINDS) * len(COLOURS) * (len(NUMBERS) - 2),
    "pair": 10_000,
    "relation": 10_000,
    "figure": len(OCCUPATIONS),
}


def demo(*, per_category: int = 20, categories: Sequence[str] = LAYOUTS) -> PromptSet:
    """Return so many prompts of each category; of occupations there are eight.

    Raises:
        ConfigError: If a category is unknown, or there are not that many different prompts.
    """
    if per_category < 1:
        raise ConfigError(f"prompts: per_category is {per_category}; at least 1 is needed")
    prompts: list[Prompt] = []
    for name in categories:
        if name not in LAYOUTS:
            raise ConfigError(f"prompts: {describe_unknown('category of the demo prompts', name, LAYOUTS)}")
        layout: Layout = name
        wanted = min(per_category, len(OCCUPATIONS)) if layout == "figure" else per_category
        if wanted > MOST[layout]:
            raise ConfigError(
                f"prompts: {wanted:,} different prompts of {layout} asked for, there are {MOST[layout]:,} at most; "
                f"ask for fewer with per_category"
            )
        start = DEMO_PROMPTS + SEEDS_PER_LAYOUT * LAYOUTS.index(layout)
        try:
            found = distinct_captions(wanted, start=start, words=prompt_of, layout=layout)
        except ValueError as error:
            raise ConfigError(f"prompts: {error}; ask for fewer with per_category") from error
        prompts += [
            Prompt(f"{layout}-{number:04d}", text, (layout,), checks_of(drawn))
            for number, (drawn, text) in enumerate(found)
        ]
    return PromptSet(tuple(prompts), "diptych.demo", "Apache-2.0", "")


def checks_of(scene: Scene) -> Checks:
    """Return what should be seen in a picture of what ``prompt_of`` says of a scene.

    As in GenEval a number that the prompt says is exact: one more of them is wrong.
    """
    if scene.figure is not None:
        return _objects([{"class": scene.figure.occupation, "count": 1}])
    if scene.relation is not None:
        subject, target = ({"class": thing.kind, "count": 1, "color": thing.colour} for thing in scene.things)
        return _objects([target, subject | {"position": [scene.relation, 0]}])
    counts = Counter((thing.kind, thing.colour) for thing in scene.things)
    include = [{"class": kind, "count": count, "color": colour} for (kind, colour), count in counts.items()]
    return _objects(include, [{"class": kind, "count": count + 1} for (kind, _), count in counts.items() if count > 1])


def _objects(include: list[dict[str, Any]], exclude: Sequence[dict[str, Any]] = ()) -> Checks:
    return Checks.model_validate({"include": include, "exclude": exclude})
