"""Single pictures of the demo web, each with one fault or none: what models are trained and measured on."""

from collections.abc import Mapping
from typing import NamedTuple

from diptych.data.images import Image, decode
from diptych.demo.world.faults import encoded, picture_of, quality_of
from diptych.demo.world.plan import FORMATS, RECOMPRESSED_QUALITY, SIZES_PX
from diptych.demo.world.scenes import Dice, Scene, scene

STREAM = 105  # keeps the faults of specimens apart from other choices

# Out of how many specimens which fault: flagged ones beside all others, and every grade of quality.
SPECIMEN_FAULTS: dict[str, int] = {
    "": 18,
    "blurred": 10,
    "cropped": 3,
    "flagged": 30,
    "low_contrast": 10,
    "noisy": 10,
    "recompressed": 3,
    "resized": 2,
    "tiny": 4,
    "watermarked": 10,
}


class Specimen(NamedTuple):
    """A picture of a scene as the demo web would serve it, with one fault or none (the empty name)."""

    scene: Scene
    fault: str
    strength: float
    image: Image

    @property
    def quality(self) -> float:
        """Its quality in [0, 1]."""
        drawn = quality_of(self.fault, self.strength)
        assert drawn is not None, "a specimen has a picture"
        return drawn


def specimen(seed: int, faults: Mapping[str, int], sizes_px: Mapping[int, int] = SIZES_PX) -> Specimen:
    """Return the picture of the scene of a seed, spoilt and encoded as the demo web does, and decoded again.

    Args:
        seed: Of the scene, the fault, its strength and the file.
        faults: Weight of each fault of the kinds ``copy`` and ``picture``; the empty name for none.
        sizes_px: Weight of each side that the picture is drawn with.
    """
    dice = Dice(STREAM, seed)
    fault, size_px = dice.weighted(faults), dice.weighted(sizes_px)
    strength, format, quality = dice.between(0, 100) / 100.0, dice.weighted(FORMATS), dice.between(82, 95)
    if fault == "recompressed":
        format, quality = "jpeg", RECOMPRESSED_QUALITY
    shown = scene(seed)
    return Specimen(
        shown, fault, strength, decode(encoded(picture_of(shown, size_px, fault, strength), format, quality))
    )
