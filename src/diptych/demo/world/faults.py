"""What the demo web does to pictures and captions: every fault of the real web, with a name.

Decides what each fault is, how often it occurs and what it does; ``plan`` decides which row gets which. Pictures are
spoilt after they are drawn, so a scene stays what it is. All of it follows from the scene's seed and a strength.
"""

import io
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import Scene
from diptych.demo.world.shapes import Floats, Plane, circle, polygon, ring, segment, union
from diptych.demo.world.styles import blend, covered
from diptych.demo.world.truth import Truth, truth_of

Pixels: TypeAlias = npt.NDArray[np.uint8]
Where = Literal["copy", "picture", "delivery", "file", "caption"]
Format = Literal["jpeg", "png", "webp"]


class Fault(NamedTuple):
    """A fault.

    Attributes:
        where: ``copy`` of another row's picture, spoilt ``picture``, ``delivery`` that gives no picture, broken
            ``file``, wrong ``caption``.
        per_mille: How many of 1000 rows have it.
        quality: Quality of the picture, in [0, 1], where the fault is weakest and strongest; None where there is none.
        status: What a downloader should say of the row.
        says: What it is.
    """

    where: Where
    per_mille: int
    quality: tuple[float, float] | None
    status: str
    says: str


# To add one: a line here (alphabetical), and what it does in ``SPOILERS``, ``broken`` or ``plan``; if it moves pixels,
# where they go in ``truth_of_picture``.
FAULTS: dict[str, Fault] = {
    "blurred": Fault("picture", 30, (0.45, 0.1), "ok", "out of focus"),
    "cropped": Fault("copy", 25, (0.9, 0.9), "ok", "near duplicate: a little cut off at each side"),
    "empty": Fault("file", 8, None, "empty", "no bytes at all"),
    "exact_duplicate": Fault("copy", 40, (1.0, 1.0), "ok", "the same bytes under another URL"),
    "file_name": Fault("caption", 20, (1.0, 1.0), "ok", "a file name for a caption"),
    "flagged": Fault("picture", 45, (1.0, 1.0), "ok", "a hazard sign over the scene; stands for what is not safe"),
    "gone": Fault("delivery", 10, None, "gone", "HTTP 410"),
    "html": Fault("file", 10, None, "not_an_image", "a web page that is sent as a JPEG"),
    "low_contrast": Fault("picture", 30, (0.5, 0.1), "ok", "nearly one colour"),
    "mirrored": Fault("copy", 20, (1.0, 1.0), "ok", "near duplicate: left and right exchanged"),
    "mismatched": Fault("caption", 90, (1.0, 1.0), "ok", "the caption of another scene"),
    "no_caption": Fault("caption", 10, (1.0, 1.0), "ok", "no caption"),
    "noisy": Fault("picture", 30, (0.5, 0.1), "ok", "grainy"),
    "not_found": Fault("delivery", 40, None, "not_found", "HTTP 404"),
    "opted_out": Fault("delivery", 10, None, "opted_out", "the owner's X-Robots-Tag says noai"),
    "other_language": Fault("caption", 60, (1.0, 1.0), "ok", "a caption in German, Spanish or French"),
    "recompressed": Fault("copy", 30, (0.7, 0.5), "ok", "near duplicate: a JPEG of low quality"),
    "resized": Fault("copy", 25, (0.9, 0.8), "ok", "near duplicate: another size"),
    "server_error": Fault("delivery", 5, None, "server_error", "HTTP 500"),
    "timeout": Fault("delivery", 2, None, "timeout", "no answer"),
    "tiny": Fault("picture", 20, (0.2, 0.1), "ok", "a thumbnail"),
    "truncated": Fault("file", 12, None, "truncated", "a file that ends too early"),
    "watermarked": Fault("picture", 30, (0.6, 0.3), "ok", "stamped all over"),
}

HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><p>This picture has moved.</p></body></html>\n"
FILE_NAMES = ("IMG_{number:04d}.jpg", "DSC{number:05d}.JPG", "image-{number}.png", "photo_{number}.webp")
STAMP = (252, 252, 252)
SIGN_YELLOW = (255, 214, 10)
SIGN_BLACK = (24, 22, 20)


def quality_of(fault: str, strength: float) -> float | None:
    """Return the quality in [0, 1] of a picture with a fault of a strength in [0, 1]; None where there is none."""
    best_and_worst = FAULTS[fault].quality if fault else (1.0, 1.0)
    if best_and_worst is None:
        return None
    best, worst = best_and_worst
    return best + (worst - best) * strength


def picture_of(scene: Scene, size: int, fault: str, strength: float) -> Pixels:
    """Draw a scene and spoil it.

    Args:
        scene: What is to be seen.
        size: Side in pixels that it is drawn with; some faults change it.
        fault: A fault of the kinds ``copy`` and ``picture``; any other name spoils nothing.
        strength: How much, in [0, 1].

    Returns:
        uint8 RGB (H, W, 3).
    """
    pixels = draw(scene, size)
    spoil = SPOILERS.get(fault)
    return spoil(pixels, strength, scene.seed) if spoil else pixels


def truth_of_picture(scene: Scene, size: int, fault: str, strength: float) -> Truth:
    """Return what is true of ``picture_of`` the same arguments: its size, its boxes, its relation.

    Resampling and blur may carry a trace of a thing a few pixels beyond its box. What a sign or a stamp covers counts
    as if it were to be seen.
    """
    if fault == "cropped":
        return truth_of(scene, size).cropped(_crop_margin(size, strength))
    if fault == "mirrored":
        return truth_of(scene, size).mirrored()
    if fault == "resized":
        return truth_of(scene, _resized_side(size, strength, scene.seed))
    return truth_of(scene, _tiny_side(strength) if fault == "tiny" else size)


def encoded(pixels: Pixels, format: Format, quality: int) -> bytes:
    """Return a picture as a file; ``quality`` in 1..100 is that of JPEG and WebP."""
    file = io.BytesIO()
    if format == "png":
        Image.fromarray(pixels).save(file, "PNG")
    else:
        Image.fromarray(pixels).save(file, format.upper(), quality=quality)
    return file.getvalue()


def broken(data: bytes, fault: str, strength: float) -> bytes:
    """Return what a file becomes by a fault of the kind ``file``; any other name leaves it as it is."""
    if fault == "empty":
        return b""
    if fault == "html":
        return HTML
    return data[: int(len(data) * (0.75 - 0.4 * strength))] if fault == "truncated" else data


def file_name_caption(number: int) -> str:
    """Return the caption of a row that has a file name for one."""
    return FILE_NAMES[number % len(FILE_NAMES)].format(number=number * 7919 % 10000)


def may_describe(described: Scene, scene: Scene) -> bool:
    """Return whether words about one scene could be true of another: they share a kind of thing or an occupation."""
    return not described.kinds.isdisjoint(scene.kinds)


def _blurred(pixels: Pixels, strength: float, _seed: int) -> Pixels:
    radius = len(pixels) * (0.016 + 0.03 * strength)
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _noisy(pixels: Pixels, strength: float, seed: int) -> Pixels:
    # The sum of three dice is close enough to the noise of a sensor.
    dice = np.random.Generator(np.random.PCG64(seed)).integers(-100, 101, (3, *pixels.shape)).sum(axis=0)
    return _to_pixels(pixels + dice * (0.28 + 0.45 * strength))


def _low_contrast(pixels: Pixels, strength: float, _seed: int) -> Pixels:
    grey = 168.0
    return _to_pixels(grey + (pixels.astype(np.float64) - grey) * (0.3 - 0.2 * strength))


def _tiny(pixels: Pixels, strength: float, _seed: int) -> Pixels:
    side = _tiny_side(strength)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def _tiny_side(strength: float) -> int:
    return int(44 - 20 * strength)


def _watermarked(pixels: Pixels, strength: float, _seed: int) -> Pixels:
    plane = _plane_of(pixels).turned(0.18)
    step = 0.62
    columns, rows = np.floor(plane.u / step), np.floor(plane.v / step)
    cell = Plane(plane.u - (columns + 0.5) * step, plane.v - (rows + 0.5) * step)
    letter = np.maximum(ring(cell, (0.0, 0.0), 0.1, 0.045), cell.u - 0.05)  # a C: a ring that is open on the right
    mark = union(ring(cell, (0.0, 0.0), 0.2, 0.04), letter)
    lines = np.abs(cell.v + 0.31) - 0.012
    stamped = pixels.astype(np.float64)
    blend(stamped, STAMP, (0.45 + 0.35 * strength) * _share(union(mark, lines), pixels))
    return _to_pixels(stamped)


def _flagged(pixels: Pixels, strength: float, seed: int) -> Pixels:
    place = 0.12 * ((seed % 5) - 2)
    half = 0.5 + 0.25 * strength
    plane = _plane_of(pixels).moved(place, -place)
    sign = Plane(plane.u / half, plane.v / half)
    diamond = polygon(sign, ((0.0, -0.92), (0.92, 0.0), (0.0, 0.92), (-0.92, 0.0)), corner=0.08)
    bang = union(segment(sign, (0.0, -0.4), (0.0, 0.1), 0.11), circle(sign, (0.0, 0.42), 0.12))
    signed = pixels.astype(np.float64)
    for rgb, distance in ((SIGN_BLACK, diamond), (SIGN_YELLOW, diamond + 0.13), (SIGN_BLACK, bang)):
        blend(signed, rgb, _share(distance * half, pixels))
    return _to_pixels(signed)


def _cropped(pixels: Pixels, strength: float, _seed: int) -> Pixels:
    margin = _crop_margin(len(pixels), strength)
    return np.ascontiguousarray(pixels[margin:-margin, margin:-margin])


def _crop_margin(size: int, strength: float) -> int:
    return max(1, int(size * (0.015 + 0.03 * strength)))


def _mirrored(pixels: Pixels, _strength: float, _seed: int) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def _resized(pixels: Pixels, strength: float, seed: int) -> Pixels:
    side = _resized_side(len(pixels), strength, seed)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def _resized_side(size: int, strength: float, seed: int) -> int:
    factor = 0.75 - 0.2 * strength if seed % 2 else 1.25 + 0.25 * strength
    return int(size * factor)


SPOILERS: dict[str, Callable[[Pixels, float, int], Pixels]] = {
    "blurred": _blurred,
    "cropped": _cropped,
    "flagged": _flagged,
    "low_contrast": _low_contrast,
    "mirrored": _mirrored,
    "noisy": _noisy,
    "resized": _resized,
    "tiny": _tiny,
    "watermarked": _watermarked,
}


def _plane_of(pixels: Pixels) -> Plane:
    """Return the plane from -1 to 1 over a square picture."""
    centres = (np.arange(len(pixels), dtype=np.float64) + 0.5) * (2.0 / len(pixels)) - 1.0
    return Plane(centres[np.newaxis, :], centres[:, np.newaxis])


def _share(distance: Floats, pixels: Pixels) -> Floats:
    return covered(distance * (len(pixels) / 2.0))


def _to_pixels(values: Floats) -> Pixels:
    return np.floor(np.minimum(np.maximum(values, 0.0), 255.0) + 0.5).astype(np.uint8)
