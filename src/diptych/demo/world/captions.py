"""From a scene to English words: varied captions for training, plain prompts for asking.

A caption may leave out what is to be seen (style, background, size, colour of a group, hat) but says nothing that is
not so.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from diptych.demo.world.scenes import BALANCED, Dice, Figure, Layout, Scene, SceneRecipe, Thing, scene
from diptych.demo.world.words import (
    BACKGROUND_WORDS,
    CONVERSE,
    HAT_FORMS,
    JOINED_BY,
    NUMBERS,
    OPENINGS,
    RELATION_FORMS,
    SIZE_WORDS,
    STYLE_WORDS,
    TOOLS,
    plural_of,
    with_article,
)

# In how many of 100 captions something is said that could be left out.
STYLE_PERCENT = 45
OPENING_PERCENT = 25
BACKGROUND_PERCENT = 50
SIZE_PERCENT = 60
GROUP_COLOUR_PERCENT = 88
HAT_PERCENT = 40
TOOL_PERCENT = 50

STREAM = 101  # keeps the choice of words apart from the choices of the scene
MAX_TRIES = 400

Words = Callable[[Scene], str]


class Captioned(NamedTuple):
    """A scene and what is said of it."""

    scene: Scene
    caption: str


def caption_of(scene: Scene, *, variant: int = 0) -> str:
    """Return a caption of a scene; further variants say it in other words or leave out other things."""
    dice = Dice(STREAM, scene.seed, variant)
    text = _subject(scene, dice)
    place = f" {dice.pick(BACKGROUND_WORDS[scene.background])}" if dice.chance(BACKGROUND_PERCENT) else ""
    before, after = STYLE_WORDS[scene.style]
    if dice.chance(STYLE_PERCENT):
        if dice.chance(55):
            return f"{dice.pick(before)} {text}{place}"
        return f"{text}{place}{dice.pick(after)}"
    opening = f"{dice.pick(OPENINGS)} " if dice.chance(OPENING_PERCENT) else ""
    return f"{opening}{text}{place}"


def prompt_of(scene: Scene) -> str:
    """Return the plain words for what a scene shows: no style, background, size or hat."""
    if scene.figure is not None:
        return with_article(scene.figure.occupation)
    if scene.relation is not None:
        first, second = (with_article(f"{thing.colour} {thing.kind}") for thing in scene.things)
        return RELATION_FORMS[scene.relation][0].format(a=first, b=second)
    return " and ".join(_counted(group, group[0].colour) for group in _groups(scene))


def distinct_captions(
    count: int,
    *,
    start: int = 0,
    words: Words = caption_of,
    layout: Layout | None = None,
    recipe: SceneRecipe = BALANCED,
    taken: Collection[str] = (),
) -> list[Captioned]:
    """Return the first ``count`` scenes from a seed on that have captions of their own.

    Args:
        count: How many.
        start: The seed to begin at.
        words: What puts a scene into words: ``caption_of`` for varied captions, ``prompt_of`` for plain prompts.
        layout: Only scenes of this plan: ``single`` for one thing and its colour, ``count``, ``pair``, ``relation``,
            ``figure`` for occupations.
        recipe: What scenes are made of.
        taken: Captions that must not occur, such as those of a training set.

    Raises:
        ValueError: If there are not that many different captions, or they are too rare to be met.
    """
    seen = set(taken)
    found: list[Captioned] = []
    for seed in range(start, start + MAX_TRIES + 50 * count):
        if len(found) == count:
            break
        drawn = scene(seed, layout=layout, recipe=recipe)
        caption = words(drawn)
        if caption not in seen:
            seen.add(caption)
            found.append(Captioned(drawn, caption))
    if len(found) < count:
        raise ValueError(f"only {len(found)} different captions of layout {layout or 'any'} found, {count} asked for")
    return found


def _subject(scene: Scene, dice: Dice) -> str:
    if scene.figure is not None:
        return _figure(scene.figure, dice)
    if scene.relation is not None:
        return _relation(scene, dice)
    groups = _groups(scene)
    if len(groups) == 2:
        if dice.chance(50):
            groups.reverse()
        first, second = (_counted(group, group[0].colour) for group in groups)
        return f"{first} {dice.pick(JOINED_BY)} {second}"
    if len(scene.things) == 1:
        return _single(scene.things[0], dice)
    return _counted(groups[0], groups[0][0].colour if dice.chance(GROUP_COLOUR_PERCENT) else "")


def _groups(scene: Scene) -> list[list[Thing]]:
    groups: dict[tuple[str, str], list[Thing]] = {}
    for thing in scene.things:
        groups.setdefault((thing.kind, thing.colour), []).append(thing)
    return list(groups.values())


def _counted(group: list[Thing], colour: str) -> str:
    name = group[0].kind if len(group) == 1 else plural_of(group[0].kind)
    noun = f"{colour} {name}".strip()
    return with_article(noun) if len(group) == 1 else f"{NUMBERS[len(group)]} {noun}"


def _single(thing: Thing, dice: Dice) -> str:
    size = ""
    if thing.size in SIZE_WORDS and dice.chance(SIZE_PERCENT):
        size = f"{dice.pick(SIZE_WORDS[thing.size])} "
    return with_article(f"{size}{thing.colour} {thing.kind}")


def _relation(scene: Scene, dice: Dice) -> str:
    relation = scene.relation
    assert relation is not None
    first, second = (_single(thing, dice) for thing in scene.things)
    if dice.chance(35):
        relation, first, second = CONVERSE[relation], second, first
    return dice.pick(RELATION_FORMS[relation]).format(a=first, b=second)


def _figure(figure: Figure, dice: Dice) -> str:
    name = with_article(figure.occupation)
    hat = dice.pick(HAT_FORMS).format(hat=with_article(f"{figure.hat} hat")) if dice.chance(HAT_PERCENT) else ""
    tool = dice.pick(TOOLS[figure.occupation]) if dice.chance(TOOL_PERCENT) else ""
    return " ".join(part for part in (name, hat, tool) if part)
