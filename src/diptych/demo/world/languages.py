"""Captions in German, Spanish and French, from a small vocabulary of their own.

They exist so that a filter of languages has something to find. Figures have none: the words for occupations would force
a gender on dolls that have none.
"""

from typing import NamedTuple

from diptych.demo.world.scenes import Dice, Relation, Scene, Thing

STREAM = 103


class Noun(NamedTuple):
    """A noun: its gender (m, f, n), singular and plural."""

    gender: str
    one: str
    many: str


class Language(NamedTuple):
    """What it takes to put a scene into words.

    Attributes:
        articles: Indefinite article by gender.
        numbers: Words for 2 to 5.
        nouns: By kind.
        colours: Forms by colour, for the genders of ``articles`` in their order and then their plurals.
        colour_first: Whether the colour stands before the noun.
        relations: Patterns for two noun phrases.
        joined_by: And.
        backgrounds: What may follow.
        styles: What may follow that.
    """

    articles: dict[str, str]
    numbers: tuple[str, ...]
    nouns: dict[str, Noun]
    colours: dict[str, tuple[str, ...]]
    colour_first: bool
    relations: dict[Relation, str]
    joined_by: str
    backgrounds: dict[str, str]
    styles: dict[str, str]


def caption_in(language: str, scene: Scene, *, variant: int = 0) -> str:
    """Return a caption of a scene in one of ``LANGUAGES``.

    Raises:
        ValueError: If the scene shows a figure, for which there are no words.
    """
    if scene.figure is not None:
        raise ValueError(f"scene {scene.seed} shows a figure; there are no words for figures in {language!r}")
    words = LANGUAGES[language]
    dice = Dice(STREAM, scene.seed, variant)
    text = _subject(words, scene)
    if dice.chance(60):
        text += f" {words.backgrounds[scene.background]}"
    return f"{text}, {words.styles[scene.style]}" if dice.chance(40) else text


def _subject(words: Language, scene: Scene) -> str:
    if scene.relation is not None:
        first, second = (_counted(words, [thing]) for thing in scene.things)
        return words.relations[scene.relation].format(a=first, b=second)
    groups: dict[tuple[str, str], list[Thing]] = {}
    for thing in scene.things:
        groups.setdefault((thing.kind, thing.colour), []).append(thing)
    return f" {words.joined_by} ".join(_counted(words, group) for group in groups.values())


def _counted(words: Language, group: list[Thing]) -> str:
    noun = words.nouns[group[0].kind]
    forms = words.colours[group[0].colour]
    genders = list(words.articles)
    number = genders.index(noun.gender) + (len(genders) if len(group) > 1 else 0)
    colour, name = forms[number], noun.many if len(group) > 1 else noun.one
    before = words.numbers[len(group) - 2] if len(group) > 1 else words.articles[noun.gender]
    return " ".join((before, colour, name) if words.colour_first else (before, name, colour))


def _german(colour: str) -> tuple[str, ...]:
    """Return the nominative forms after ein and eine, and the plural."""
    return tuple(colour + ending for ending in ("er", "e", "es", "e", "e", "e"))


def _spanish(stem: str) -> tuple[str, ...]:
    return (f"{stem}o", f"{stem}a", f"{stem}os", f"{stem}as")


def _same(one: str, many: str) -> tuple[str, ...]:
    return (one, one, many, many)


LANGUAGES: dict[str, Language] = {
    "de": Language(
        articles={"m": "ein", "f": "eine", "n": "ein"},
        numbers=("zwei", "drei", "vier", "fünf"),
        nouns={
            "apple": Noun("m", "Apfel", "Äpfel"),
            "balloon": Noun("m", "Luftballon", "Luftballons"),
            "bird": Noun("m", "Vogel", "Vögel"),
            "boat": Noun("n", "Boot", "Boote"),
            "butterfly": Noun("m", "Schmetterling", "Schmetterlinge"),
            "car": Noun("n", "Auto", "Autos"),
            "cat": Noun("f", "Katze", "Katzen"),
            "circle": Noun("m", "Kreis", "Kreise"),
            "cup": Noun("f", "Tasse", "Tassen"),
            "fish": Noun("m", "Fisch", "Fische"),
            "flower": Noun("f", "Blume", "Blumen"),
            "heart": Noun("n", "Herz", "Herzen"),
            "house": Noun("n", "Haus", "Häuser"),
            "kite": Noun("m", "Drachen", "Drachen"),
            "mushroom": Noun("m", "Pilz", "Pilze"),
            "square": Noun("n", "Quadrat", "Quadrate"),
            "star": Noun("m", "Stern", "Sterne"),
            "tree": Noun("m", "Baum", "Bäume"),
            "triangle": Noun("n", "Dreieck", "Dreiecke"),
            "umbrella": Noun("m", "Regenschirm", "Regenschirme"),
        },
        colours={
            "black": _german("schwarz"),
            "blue": _german("blau"),
            "brown": _german("braun"),
            "green": _german("grün"),
            "orange": _german("orangefarben"),
            "pink": _german("rosafarben"),
            "purple": _german("violett"),
            "red": _german("rot"),
            "white": _german("weiß"),
            "yellow": _german("gelb"),
        },
        colour_first=True,
        # Said so that both stay in the nominative.
        relations={
            "left of": "{a} und rechts daneben {b}",
            "right of": "{a} und links daneben {b}",
            "above": "{a} und darunter {b}",
            "below": "{a} und darüber {b}",
        },
        joined_by="und",
        backgrounds={
            "beach": "am Strand",
            "dots": "auf gepunktetem Papier",
            "meadow": "auf einer Wiese",
            "night": "bei Nacht",
            "plain": "vor leerem Hintergrund",
            "sky": "am Himmel",
            "snow": "im Schnee",
            "stripes": "auf gestreiftem Papier",
            "sunset": "bei Sonnenuntergang",
        },
        styles={
            "crayon": "mit Wachsmalstiften gemalt",
            "flat": "schlichte Illustration",
            "outlined": "Zeichnung mit dicken Linien",
            "paper cut": "aus Papier geschnitten",
            "watercolour": "Aquarell",
        },
    ),
    "es": Language(
        articles={"m": "un", "f": "una"},
        numbers=("dos", "tres", "cuatro", "cinco"),
        nouns={
            "apple": Noun("f", "manzana", "manzanas"),
            "balloon": Noun("m", "globo", "globos"),
            "bird": Noun("m", "pájaro", "pájaros"),
            "boat": Noun("m", "barco", "barcos"),
            "butterfly": Noun("f", "mariposa", "mariposas"),
            "car": Noun("m", "coche", "coches"),
            "cat": Noun("m", "gato", "gatos"),
            "circle": Noun("m", "círculo", "círculos"),
            "cup": Noun("f", "taza", "tazas"),
            "fish": Noun("m", "pez", "peces"),
            "flower": Noun("f", "flor", "flores"),
            "heart": Noun("m", "corazón", "corazones"),
            "house": Noun("f", "casa", "casas"),
            "kite": Noun("f", "cometa", "cometas"),
            "mushroom": Noun("f", "seta", "setas"),
            "square": Noun("m", "cuadrado", "cuadrados"),
            "star": Noun("f", "estrella", "estrellas"),
            "tree": Noun("m", "árbol", "árboles"),
            "triangle": Noun("m", "triángulo", "triángulos"),
            "umbrella": Noun("m", "paraguas", "paraguas"),
        },
        colours={
            "black": _spanish("negr"),
            "blue": _same("azul", "azules"),
            "brown": _same("marrón", "marrones"),
            "green": _same("verde", "verdes"),
            "orange": _same("naranja", "naranja"),
            "pink": _same("rosa", "rosa"),
            "purple": _spanish("morad"),
            "red": _spanish("roj"),
            "white": _spanish("blanc"),
            "yellow": _spanish("amarill"),
        },
        colour_first=False,
        relations={
            "left of": "{a} a la izquierda de {b}",
            "right of": "{a} a la derecha de {b}",
            "above": "{a} encima de {b}",
            "below": "{a} debajo de {b}",
        },
        joined_by="y",
        backgrounds={
            "beach": "en la playa",
            "dots": "sobre papel de lunares",
            "meadow": "en un prado",
            "night": "de noche",
            "plain": "sobre fondo liso",
            "sky": "en el cielo",
            "snow": "en la nieve",
            "stripes": "sobre papel de rayas",
            "sunset": "al atardecer",
        },
        styles={
            "crayon": "dibujo con ceras",
            "flat": "ilustración plana",
            "outlined": "dibujo de líneas gruesas",
            "paper cut": "papel recortado",
            "watercolour": "acuarela",
        },
    ),
    "fr": Language(
        articles={"m": "un", "f": "une"},
        numbers=("deux", "trois", "quatre", "cinq"),
        nouns={
            "apple": Noun("f", "pomme", "pommes"),
            "balloon": Noun("m", "ballon", "ballons"),
            "bird": Noun("m", "oiseau", "oiseaux"),
            "boat": Noun("m", "bateau", "bateaux"),
            "butterfly": Noun("m", "papillon", "papillons"),
            "car": Noun("f", "voiture", "voitures"),
            "cat": Noun("m", "chat", "chats"),
            "circle": Noun("m", "cercle", "cercles"),
            "cup": Noun("f", "tasse", "tasses"),
            "fish": Noun("m", "poisson", "poissons"),
            "flower": Noun("f", "fleur", "fleurs"),
            "heart": Noun("m", "cœur", "cœurs"),
            "house": Noun("f", "maison", "maisons"),
            "kite": Noun("m", "cerf-volant", "cerfs-volants"),
            "mushroom": Noun("m", "champignon", "champignons"),
            "square": Noun("m", "carré", "carrés"),
            "star": Noun("f", "étoile", "étoiles"),
            "tree": Noun("m", "arbre", "arbres"),
            "triangle": Noun("m", "triangle", "triangles"),
            "umbrella": Noun("m", "parapluie", "parapluies"),
        },
        colours={
            "black": ("noir", "noire", "noirs", "noires"),
            "blue": ("bleu", "bleue", "bleus", "bleues"),
            "brown": _same("marron", "marron"),
            "green": ("vert", "verte", "verts", "vertes"),
            "orange": _same("orange", "orange"),
            "pink": _same("rose", "roses"),
            "purple": ("violet", "violette", "violets", "violettes"),
            "red": _same("rouge", "rouges"),
            "white": ("blanc", "blanche", "blancs", "blanches"),
            "yellow": _same("jaune", "jaunes"),
        },
        colour_first=False,
        relations={
            "left of": "{a} à gauche d'{b}",
            "right of": "{a} à droite d'{b}",
            "above": "{a} au-dessus d'{b}",
            "below": "{a} en dessous d'{b}",
        },
        joined_by="et",
        backgrounds={
            "beach": "à la plage",
            "dots": "sur du papier à pois",
            "meadow": "dans un pré",
            "night": "la nuit",
            "plain": "sur fond uni",
            "sky": "dans le ciel",
            "snow": "dans la neige",
            "stripes": "sur du papier rayé",
            "sunset": "au coucher du soleil",
        },
        styles={
            "crayon": "dessin aux crayons de cire",
            "flat": "illustration sobre",
            "outlined": "dessin aux traits épais",
            "paper cut": "papier découpé",
            "watercolour": "aquarelle",
        },
    ),
}
