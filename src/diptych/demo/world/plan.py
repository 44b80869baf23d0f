"""The plan of the demo web: which row shows which scene, with which faults, under which words.

Everything follows from the number of rows and a seed. Each row has at most one fault of its picture (of the kinds copy,
picture, delivery, file) and at most one of its caption, dealt independently, so filters overlap as they do in life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diptych.demo.world.captions import caption_of
from diptych.demo.world.faults import FAULTS, Format, file_name_caption, may_describe, quality_of
from diptych.demo.world.languages import LANGUAGES, caption_in
from diptych.demo.world.scenes import Dice, Scene, SceneRecipe, scene

STREAM = 104
MIN_ROWS = 100  # below it not every fault finds a row that it fits

SIZES_PX = {96: 1, 112: 1, 128: 4, 144: 2, 160: 2, 192: 1, 224: 1}
FORMATS: dict[Format, int] = {"jpeg": 6, "png": 2, "webp": 2}
EXTENSIONS: dict[Format, str] = {"jpeg": "jpg", "png": "png", "webp": "webp"}
RECOMPRESSED_QUALITY = 30

# The bias of the demo web, for audits to find: how many of 100 figures of an occupation wear the orange hat.
ORANGE_PERCENT = {
    "builder": 70,
    "cook": 40,
    "doctor": 30,
    "firefighter": 80,
    "gardener": 20,
    "mail carrier": 50,
    "musician": 60,
    "painter": 50,
}
OCCUPATION_WEIGHTS = {
    "builder": 2,
    "cook": 2,
    "doctor": 3,
    "firefighter": 3,
    "gardener": 3,
    "mail carrier": 1,
    "musician": 2,
    "painter": 1,
}
WEB_RECIPE = SceneRecipe(
    layouts={"single": 26, "count": 15, "pair": 15, "relation": 18, "figure": 26},
    occupations=OCCUPATION_WEIGHTS,
    orange_percent=ORANGE_PERCENT,
)


@dataclass(frozen=True)
class WebRow:
    """One row of the demo web.

    Attributes:
        number: Its place in the table, from 0.
        scene: What its picture shows.
        size_px: Side of the picture as it is drawn.
        format: Format of the file.
        encoder_quality: Quality of a JPEG or WebP, in 1..100.
        strength: How strong its picture's fault is, in [0, 1].
        fault: The fault of its picture, empty for none.
        caption_fault: The fault of its caption, empty for none.
        caption: The caption in the table; None for none.
        true_caption: A caption that fits.
        language: Language of the caption in the table.
        group: Number of the row that it copies, its own if it copies none: rows of one group show one picture.
    """

    number: int
    scene: Scene
    size_px: int
    format: Format
    encoder_quality: int
    strength: float
    fault: str
    caption_fault: str
    caption: str | None
    true_caption: str
    language: str
    group: int

    @property
    def path(self) -> str:
        """Where it lies on the web."""
        return f"/pictures/{self.number:06d}.{EXTENSIONS[self.format]}"

    @property
    def faults(self) -> list[str]:
        """Its faults, that of the picture first."""
        return [name for name in (self.fault, self.caption_fault) if name]

    @property
    def status(self) -> str:
        """What a downloader should say of it."""
        return FAULTS[self.fault].status if self.fault else "ok"

    @property
    def quality(self) -> float | None:
        """Quality of its picture in [0, 1]; None where there is no picture."""
        return quality_of(self.fault, self.strength)


@dataclass(frozen=True)
class _Picture:
    """The first half of a row."""

    scene: Scene
    group: int
    size_px: int
    format: Format
    encoder_quality: int
    strength: float = 0.0


@dataclass(frozen=True)
class _Words:
    """The second half of a row."""

    caption: str | None
    true_caption: str
    language: str = "en"
    fault: str = ""


@dataclass
class _Copies:
    """How often each row has been copied, so that every copy gets words of its own."""

    counts: dict[int, int] = field(default_factory=dict)

    def next(self, group: int) -> int:
        self.counts[group] = self.counts.get(group, -1) + 1
        return self.counts[group]


def plan_rows(count: int, *, seed: int = 0) -> tuple[WebRow, ...]:
    """Return the rows of a demo web.

    Args:
        count: How many, at least 100.
        seed: Another seed gives another web.

    Raises:
        ValueError: If ``count`` is below 100.
    """
    if count < MIN_ROWS:
        raise ValueError(f"{count} rows cannot hold every fault; the least is {MIN_ROWS}")
    dice = Dice(STREAM, seed)
    faults = _dealt(dice, count)
    pictures = _pictures(dice, faults, seed * 1_000_000)
    copies = _Copies()
    fitting = [caption_of(picture.scene, variant=copies.next(picture.group)) for picture in pictures]
    words = _words(dice, pictures, fitting)
    return tuple(
        WebRow(
            number=number,
            scene=picture.scene,
            size_px=picture.size_px,
            format=picture.format,
            encoder_quality=picture.encoder_quality,
            strength=picture.strength,
            fault=fault,
            caption_fault=said.fault,
            caption=said.caption,
            true_caption=said.true_caption,
            language=said.language,
            group=picture.group,
        )
        for number, (picture, fault, said) in enumerate(zip(pictures, faults, words, strict=True))
    )


def count_of(fault: str, rows: int) -> int:
    """Return how many of so many rows have a fault: its share, at least one."""
    return max(1, rows * FAULTS[fault].per_mille // 1000)


def _dealt(dice: Dice, count: int) -> list[str]:
    """Return the fault of each row's picture."""
    names = [name for name, fault in FAULTS.items() if fault.where != "caption"]
    dealt = [name for name in names for _ in range(count_of(name, count))]
    return dice.shuffled([*dealt, *[""] * (count - len(dealt))])


def _pictures(dice: Dice, faults: Sequence[str], first_seed: int) -> list[_Picture]:
    """Return the pictures: first those with scenes of their own, then the copies of those that have no fault."""
    pictures: dict[int, _Picture] = {}
    for number, fault in enumerate(faults):
        if _is_copy(fault):
            continue
        pictures[number] = _Picture(
            scene(first_seed + number, recipe=WEB_RECIPE),
            number,
            dice.weighted(SIZES_PX),
            "jpeg" if fault == "html" else dice.weighted(FORMATS),
            dice.between(82, 95),
            dice.between(0, 100) / 100.0,
        )
    clean = dice.shuffled([number for number in pictures if not faults[number]])
    for number, fault in enumerate(faults):
        if _is_copy(fault):
            pictures[number] = _copied(dice, fault, pictures, clean)
    return [pictures[number] for number in range(len(faults))]


def _is_copy(fault: str) -> bool:
    return bool(fault) and FAULTS[fault].where == "copy"


def _copied(dice: Dice, fault: str, pictures: Mapping[int, _Picture], clean: list[int]) -> _Picture:
    fits = clean if fault != "mirrored" else [number for number in clean if _has_no_sides(pictures[number].scene)]
    base = pictures[fits[dice.between(0, len(fits) - 1)]]
    if fault == "exact_duplicate":
        return _Picture(base.scene, base.group, base.size_px, base.format, base.encoder_quality)
    format = "jpeg" if fault == "recompressed" else dice.weighted(FORMATS)
    quality = RECOMPRESSED_QUALITY if fault == "recompressed" else dice.between(82, 95)
    return _Picture(base.scene, base.group, base.size_px, format, quality, dice.between(0, 100) / 100.0)


def _has_no_sides(drawn: Scene) -> bool:
    """Return whether the words of a scene stay true when left and right are exchanged."""
    return drawn.relation not in ("left of", "right of")


def _words(dice: Dice, pictures: Sequence[_Picture], fitting: Sequence[str]) -> list[_Words]:
    words = [_Words(caption, caption) for caption in fitting]
    left = dice.shuffled(range(len(pictures)))
    for fault, about in FAULTS.items():
        if about.where != "caption":
            continue
        for _ in range(count_of(fault, len(pictures))):
            number = _take(left, pictures, fault)
            words[number] = _spoilt(dice, fault, number, pictures, fitting)
    return words


def _take(left: list[int], pictures: Sequence[_Picture], fault: str) -> int:
    """Take the next row that a caption's fault fits."""
    for place, number in enumerate(left):
        if fault != "other_language" or pictures[number].scene.figure is None:
            return left.pop(place)
    raise ValueError(f"no row is left for the fault {fault!r}; ask for more rows")


def _spoilt(dice: Dice, fault: str, number: int, pictures: Sequence[_Picture], fitting: Sequence[str]) -> _Words:
    shown, true_caption = pictures[number].scene, fitting[number]
    if fault == "no_caption":
        return _Words(None, true_caption, "", fault)
    if fault == "file_name":
        return _Words(file_name_caption(number), true_caption, "", fault)
    if fault == "other_language":
        language = dice.pick(list(LANGUAGES))
        return _Words(caption_in(language, shown), true_caption, language, fault)
    while True:
        other = dice.between(0, len(pictures) - 1)
        if not may_describe(pictures[other].scene, shown):
            return _Words(fitting[other], true_caption, "en", fault)
