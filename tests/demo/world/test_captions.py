import pytest

from diptych.demo.world.backdrops import BACKDROPS
from diptych.demo.world.captions import caption_of, distinct_captions, prompt_of
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.languages import LANGUAGES, caption_in
from diptych.demo.world.palette import COLOURS
from diptych.demo.world.scenes import RELATIONS, Figure, Scene, Thing, scene
from diptych.demo.world.styles import STYLES
from diptych.demo.world.things import KINDS
from diptych.demo.world.words import (
    BACKGROUND_WORDS,
    NUMBERS,
    RELATION_FORMS,
    STYLE_WORDS,
    TOOLS,
    plural_of,
    with_article,
)

SCENES = [scene(seed) for seed in range(400)]
FIGURES = [scene(seed, layout="figure") for seed in range(600)]


def things(*described: tuple[str, str]) -> tuple[Thing, ...]:
    return tuple(Thing(kind, colour, "normal", 512, 512, 100) for colour, kind in described)


def names_in(caption: str) -> set[str]:
    """Return the kinds that a caption names."""
    words = set(caption.replace(",", "").split())
    return {kind for kind in KINDS if {kind, plural_of(kind)} & words}


def test_words_exist_for_everything_there_is() -> None:
    assert set(BACKGROUND_WORDS) == set(BACKDROPS)
    assert set(STYLE_WORDS) == set(STYLES)
    assert set(TOOLS) == set(OCCUPATIONS)
    assert set(RELATION_FORMS) == set(RELATIONS)
    for language in LANGUAGES.values():
        assert set(language.nouns) == set(KINDS)
        assert set(language.colours) == set(COLOURS)
        assert set(language.backgrounds) == set(BACKDROPS)
        assert set(language.styles) == set(STYLES)
        assert set(language.relations) == set(RELATIONS)
        assert {len(forms) for forms in language.colours.values()} == {2 * len(language.articles)}
        assert {noun.gender for noun in language.nouns.values()} <= set(language.articles)


def test_500_held_out_scenes_have_captions_of_their_own_and_apart_from_the_training_set() -> None:
    training = distinct_captions(2000)
    held_out = distinct_captions(500, start=10_000, taken={caption for _, caption in training})
    captions = [caption for _, caption in [*training, *held_out]]
    assert len(set(captions)) == 2500


def test_caption_of_a_scene_is_always_the_same_and_variants_differ() -> None:
    for drawn in SCENES[:50]:
        assert caption_of(drawn) == caption_of(drawn)
        assert len({caption_of(drawn, variant=variant) for variant in range(8)}) > 2


def test_caption_names_the_kinds_that_are_there_and_no_other() -> None:
    for drawn in SCENES:
        for variant in range(3):
            found = names_in(caption_of(drawn, variant=variant))
            assert found == {thing.kind for thing in drawn.things}, caption_of(drawn, variant=variant)


def test_caption_names_no_colour_that_is_not_there() -> None:
    for drawn in [*SCENES, *FIGURES]:
        words = set(caption_of(drawn).replace(",", "").split())
        there = {thing.colour for thing in drawn.things} | ({drawn.figure.hat} if drawn.figure else set())
        if drawn.figure and drawn.figure.occupation == "doctor":
            there.add("white")  # the coat
        assert words & set(COLOURS) <= there


def test_caption_of_a_group_says_how_many() -> None:
    for seed in range(100):
        drawn = scene(seed, layout="count")
        assert NUMBERS[len(drawn.things)] in caption_of(drawn).split()


def test_style_and_background_are_said_in_some_captions_only() -> None:
    said = [any(phrase in caption_of(drawn) for phrase in BACKGROUND_WORDS[drawn.background]) for drawn in SCENES]
    styled = [
        any(phrase in caption_of(drawn) for phrases in STYLE_WORDS[drawn.style] for phrase in phrases)
        for drawn in SCENES
    ]
    assert 0.4 < sum(said) / len(said) < 0.6
    assert 0.35 < sum(styled) / len(styled) < 0.55


def test_attribute_is_said_in_part_of_the_captions_and_then_right() -> None:
    captions = [caption_of(drawn) for drawn in FIGURES]
    said = ["hat" in caption.split() or "hat," in caption for caption in captions]
    assert 0.33 < sum(said) / len(said) < 0.47
    for drawn, caption in zip(FIGURES, captions, strict=True):
        assert drawn.figure is not None
        other = next(hat for hat in HATS if hat != drawn.figure.hat)
        assert drawn.figure.occupation in caption
        assert other not in caption


@pytest.mark.parametrize(
    ("relation", "prompt"),
    [
        ("left of", "a red fish to the left of an orange star"),
        ("right of", "a red fish to the right of an orange star"),
        ("above", "a red fish above an orange star"),
        ("below", "a red fish below an orange star"),
    ],
)
def test_prompt_of_a_relation(relation: str, prompt: str) -> None:
    pair = things(("red", "fish"), ("orange", "star"))
    assert prompt_of(Scene(0, "relation", "flat", "sky", 700, pair, relation)) == prompt  # type: ignore[arg-type]


def test_prompts_are_plain() -> None:
    two = things(("green", "star"), ("green", "star"), ("blue", "cup"))
    assert prompt_of(Scene(0, "pair", "flat", "sky", 700, two)) == "two green stars and a blue cup"
    figure = Figure("mail carrier", "purple", 512, 512, 400)
    assert prompt_of(Scene(0, "figure", "flat", "sky", 700, figure=figure)) == "a mail carrier"


def test_relation_is_said_the_right_way_round_in_every_form() -> None:
    pair = things(("red", "fish"), ("blue", "cup"))
    drawn = Scene(0, "relation", "flat", "sky", 700, pair, "left of")
    allowed = {form.format(a="a red fish", b="a blue cup") for form in RELATION_FORMS["left of"]}
    allowed |= {form.format(a="a blue cup", b="a red fish") for form in RELATION_FORMS["right of"]}
    captions = [caption_of(drawn, variant=variant) for variant in range(60)]
    assert all(any(form in caption for form in allowed) for caption in captions)
    assert any("blue cup to the right of a red fish" in caption for caption in captions)


@pytest.mark.parametrize(("layout", "count"), [("single", 190), ("count", 300), ("relation", 300), ("figure", 8)])
def test_restricted_prompt_sets_have_distinct_prompts_of_their_layout(layout: str, count: int) -> None:
    found = distinct_captions(count, words=prompt_of, layout=layout)  # type: ignore[arg-type]
    assert {drawn.layout for drawn, _ in found} == {layout}
    assert len({prompt for _, prompt in found}) == count


def test_more_prompts_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="only 8 different captions of layout figure found, 9 asked for"):
        distinct_captions(9, words=prompt_of, layout="figure")


def test_article_follows_the_first_letter() -> None:
    assert with_article("umbrella") == "an umbrella"
    assert with_article("house") == "a house"


@pytest.mark.parametrize(
    ("language", "described", "expected"),
    [
        ("de", [("red", "fish")], "ein roter Fisch"),
        ("de", [("red", "cat")], "eine rote Katze"),
        ("de", [("red", "house")], "ein rotes Haus"),
        ("de", [("red", "tree")] * 3, "drei rote Bäume"),
        ("es", [("yellow", "house")], "una casa amarilla"),
        ("es", [("black", "umbrella")] * 2, "dos paraguas negros"),
        ("es", [("blue", "star")] * 5, "cinco estrellas azules"),
        ("fr", [("white", "flower")], "une fleur blanche"),
        ("fr", [("purple", "bird")] * 4, "quatre oiseaux violets"),
        ("fr", [("green", "apple"), ("orange", "cat")], "une pomme verte et un chat orange"),
    ],
)
def test_other_languages_inflect(language: str, described: list[tuple[str, str]], expected: str) -> None:
    drawn = Scene(0, "pair", "flat", "sky", 700, things(*described))
    assert caption_in(language, drawn).startswith(expected)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", "ein roter Fisch und rechts daneben eine blaue Tasse"),
        ("es", "un pez rojo a la izquierda de una taza azul"),
        ("fr", "un poisson rouge à gauche d'une tasse bleue"),
    ],
)
def test_other_languages_say_relations(language: str, expected: str) -> None:
    drawn = Scene(0, "relation", "flat", "sky", 700, things(("red", "fish"), ("blue", "cup")), "left of")
    assert caption_in(language, drawn).startswith(expected)


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_have_no_words_in_other_languages(language: str) -> None:
    with pytest.raises(ValueError, match="scene 0 shows a figure"):
        caption_in(language, scene(0, layout="figure"))
