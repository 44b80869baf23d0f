"""The English words of the world: what a thing, a colour, a relation, a style and a background may be called."""

from diptych.demo.world.scenes import Relation

NUMBERS = ("no", "one", "two", "three", "four", "five")

IRREGULAR_PLURALS = {"butterfly": "butterflies", "fish": "fish"}

SIZE_WORDS = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}

JOINED_BY = ("and", "and", "with", "next to", "together with")

# How a relation is put into words, {a} being the thing that lies so to {b}.
RELATION_FORMS: dict[Relation, tuple[str, ...]] = {
    "left of": (
        "{a} to the left of {b}",
        "{a} on the left of {b}",
        "{a} left of {b}",
        "{a} on the left and {b} on the right",
    ),
    "right of": (
        "{a} to the right of {b}",
        "{a} on the right of {b}",
        "{a} right of {b}",
        "{a} on the right and {b} on the left",
    ),
    "above": ("{a} above {b}", "{a} over {b}", "{a} at the top and {b} at the bottom"),
    "below": ("{a} below {b}", "{a} under {b}", "{a} beneath {b}", "{a} at the bottom and {b} at the top"),
}
CONVERSE: dict[Relation, Relation] = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
}

TOOLS = {
    "builder": ("holding a hammer", "with a hammer", "in a safety vest"),
    "cook": ("holding a frying pan", "with a frying pan", "frying an egg"),
    "doctor": ("carrying a first-aid bag", "with a stethoscope", "in a white coat"),
    "firefighter": ("holding a hose", "with a hose", "spraying water"),
    "gardener": ("holding a watering can", "with a watering can", "in dungarees"),
    "mail carrier": ("holding a letter", "with a letter", "delivering a letter"),
    "musician": ("playing the guitar", "with a guitar", "holding a guitar"),
    "painter": ("holding a brush", "with a brush and a palette", "with a palette"),
}
HAT_FORMS = ("with {hat}", "in {hat}", "wearing {hat}")

OPENINGS = ("a picture of", "an image of", "a drawing of", "an illustration of")

# What may stand before a scene, and what after it.
STYLE_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "crayon": (
        ("a crayon drawing of", "a wax crayon drawing of", "a child's crayon picture of"),
        (", crayon drawing", " drawn in crayon", ", wax crayons on paper"),
    ),
    "flat": (
        ("a flat illustration of", "a flat picture of", "a minimal flat design of"),
        (", flat illustration", " in flat style", ", flat vector art"),
    ),
    "outlined": (
        ("a cartoon of", "an outlined drawing of", "a comic drawing of"),
        (", cartoon", " drawn with thick outlines", ", comic style"),
    ),
    "paper cut": (
        ("a paper cut of", "a paper cut-out of", "a paper collage of"),
        (", paper cut", " cut out of paper", ", paper collage"),
    ),
    "watercolour": (
        ("a watercolour of", "a watercolour painting of", "an aquarelle of"),
        (", watercolour", " painted in watercolour", ", aquarelle"),
    ),
}

BACKGROUND_WORDS: dict[str, tuple[str, ...]] = {
    "beach": ("at the beach", "on a beach", "by the sea"),
    "dots": ("on a dotted background", "on dotted paper", "on a background of dots"),
    "meadow": ("in a meadow", "on a meadow", "in the countryside"),
    "night": ("at night", "on a night background", "under a night sky"),
    "plain": ("on a plain background", "on plain paper", "on an empty background"),
    "sky": ("in the sky", "on a sky background", "among the clouds"),
    "snow": ("in the snow", "on a snowy day", "in winter"),
    "stripes": ("on a striped background", "on striped paper", "on a background of stripes"),
    "sunset": ("at sunset", "in the evening", "at dusk"),
}


def plural_of(kind: str) -> str:
    """Return the plural of a kind."""
    return IRREGULAR_PLURALS.get(kind, f"{kind}s")


def with_article(noun: str) -> str:
    """Return a noun phrase after its indefinite article.

    >>> with_article("orange star"), with_article("red umbrella")
    ('an orange star', 'a red umbrella')
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
