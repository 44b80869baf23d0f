from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.demo.world.backdrops import BACKDROPS, UNITS
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import (
    ARRANGEMENTS,
    BALANCED,
    LAYOUTS,
    MARGIN,
    MAX_COUNT,
    RELATIONS,
    Dice,
    Figure,
    Scene,
    SceneRecipe,
    Thing,
    half_extents,
    scene,
)
from diptych.demo.world.styles import STYLES
from diptych.demo.world.things import KINDS

SAMPLE = [scene(seed) for seed in range(600)]
seeds = st.integers(0, 2**32)


def box_of(thing: Thing | Figure) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom in units, margin included."""
    width, height = (extent + MARGIN for extent in half_extents(thing))
    return thing.x - width, thing.y - height, thing.x + width, thing.y + height


def are_apart(first: Thing, second: Thing) -> bool:
    left, top, right, bottom = box_of(first)
    other_left, other_top, other_right, other_bottom = box_of(second)
    return right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top


def test_world_is_as_rich_as_promised() -> None:
    assert len(KINDS) >= 10
    assert len(COLOURS) == 10
    assert len(STYLES) >= 3
    assert len(OCCUPATIONS) >= 5
    assert len(HATS) == 2
    assert set(ARRANGEMENTS) == set(range(1, MAX_COUNT + 1))


def test_tables_are_in_alphabetical_order() -> None:
    for table in (BACKDROPS, COLOURS, KINDS, OCCUPATIONS, STYLES):
        assert list(table) == sorted(table)


def test_everything_there_is_occurs() -> None:
    things = [thing for drawn in SAMPLE for thing in drawn.things]
    assert {drawn.layout for drawn in SAMPLE} == set(LAYOUTS)
    assert {drawn.style for drawn in SAMPLE} == set(STYLES)
    assert {drawn.background for drawn in SAMPLE} == set(BACKDROPS)
    assert {drawn.relation for drawn in SAMPLE} == {None, *RELATIONS}
    assert {thing.kind for thing in things} == set(KINDS)
    assert {thing.colour for thing in things} == set(COLOURS)
    assert {drawn.figure.occupation for drawn in SAMPLE if drawn.figure} == set(OCCUPATIONS)
    assert {len(drawn.things) for drawn in SAMPLE} == {0, 1, 2, 3, 4, 5}


@given(seeds)
def test_equal_seeds_give_equal_scenes(seed: int) -> None:
    assert scene(seed) == scene(seed)


def test_other_seeds_give_other_scenes() -> None:
    assert len(set(SAMPLE)) == len(SAMPLE)


@given(seeds)
def test_things_lie_in_the_picture_and_apart(seed: int) -> None:
    drawn = scene(seed)
    for thing in (*drawn.things, *((drawn.figure,) if drawn.figure else ())):
        left, top, right, bottom = box_of(thing)
        assert min(left, top) >= 0
        assert max(right, bottom) <= UNITS
    for number, thing in enumerate(drawn.things):
        assert all(are_apart(thing, other) for other in drawn.things[:number])


@given(seeds)
def test_relation_holds_between_whole_boxes(seed: int) -> None:
    drawn = scene(seed, layout="relation")
    (left, top, right, bottom), other = (box_of(thing) for thing in drawn.things)
    holds = {
        "left of": right <= other[0],
        "right of": left >= other[2],
        "above": bottom <= other[1],
        "below": top >= other[3],
    }
    assert drawn.relation is not None
    assert holds[drawn.relation]
    assert drawn.things[0].kind != drawn.things[1].kind


@given(seeds)
def test_single_shows_one_thing(seed: int) -> None:
    assert len(scene(seed, layout="single").things) == 1


@given(seeds)
def test_count_shows_two_to_five_of_one_kind_and_colour(seed: int) -> None:
    things = scene(seed, layout="count").things
    assert 2 <= len(things) <= MAX_COUNT
    assert len({(thing.kind, thing.colour) for thing in things}) == 1


@given(seeds)
def test_pair_shows_two_kinds_and_five_things_at_most(seed: int) -> None:
    things = scene(seed, layout="pair").things
    assert 2 <= len(things) <= MAX_COUNT
    assert len({thing.kind for thing in things}) == 2
    assert len({(thing.kind, thing.colour) for thing in things}) == 2


@given(seeds)
def test_no_thing_has_a_colour_that_is_lost_on_its_background(seed: int) -> None:
    drawn = scene(seed)
    assert not {thing.colour for thing in drawn.things} & BACKDROPS[drawn.background].lost


def test_figure_layout_shows_a_figure_and_nothing_else() -> None:
    for drawn in SAMPLE:
        assert (drawn.figure is not None) == (drawn.layout == "figure")
        assert not (drawn.figure and drawn.things)


def test_hats_are_balanced_unless_the_recipe_says_otherwise() -> None:
    hats = Counter(figure.hat for seed in range(1000) if (figure := scene(seed, layout="figure").figure))
    assert abs(hats["orange"] - 500) < 4 * 15.8  # four standard deviations of a fair coin


@pytest.mark.parametrize(("percent", "hat"), [(100, "orange"), (0, "purple")])
def test_recipe_decides_who_wears_which_hat(percent: int, hat: str) -> None:
    recipe = SceneRecipe(orange_percent={**BALANCED.orange_percent, "cook": percent}, occupations={"cook": 1})
    figures = [scene(seed, layout="figure", recipe=recipe).figure for seed in range(50)]
    assert {(figure.occupation, figure.hat) for figure in figures if figure} == {("cook", hat)}


def test_layout_of_the_recipe_and_layout_that_is_asked_for_agree_on_style_and_background() -> None:
    free = [scene(seed) for seed in range(50)]
    asked = [scene(seed, layout="single") for seed in range(50)]
    assert [(drawn.style, drawn.background) for drawn in free] == [(drawn.style, drawn.background) for drawn in asked]


def test_kinds_of_a_scene_name_things_and_occupation() -> None:
    assert Scene(0, "figure", "flat", "sky", 700, figure=Figure("cook", "orange", 512, 512, 400)).kinds == {"cook"}
    thing = Thing("fish", "red", "normal", 512, 512, 200)
    assert Scene(0, "single", "flat", "sky", 700, (thing,)).kinds == {"fish"}


def test_dice_keep_to_their_range() -> None:
    dice = Dice(1)
    assert {dice.between(2, 4) for _ in range(100)} == {2, 3, 4}
    assert {dice.weighted({"a": 1, "b": 0, "c": 1}) for _ in range(100)} == {"a", "c"}
    assert sorted(dice.shuffled(range(20))) == list(range(20))
    assert not any(dice.chance(0) for _ in range(100))
    assert all(dice.chance(100) for _ in range(100))
