"""What the files of some images have in common, and whether two sets differ in it: format, JPEG quality, size.

An encoder sees how a picture was packed and resized. Where nearly all images of one side are PNGs of one size, and
those of the other JPEGs of many, a distance says that as well, and nobody can tell how much of it.
"""

import io
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from PIL import JpegImagePlugin

from diptych.data.images import glance
from diptych.errors import DecodeError

Size = tuple[int, int]

MOST = 0.9  # of a set, which is then said to have it throughout
APART = 0.5  # of two sets, that have different formats
QUALITY_APART = 8  # of the medians, from 1 to 100
ENOUGH = 8  # JPEGs on a side, whose median says something
TABLE_LENGTH, TABLE_SUM = 64, 3_688  # of the luminance table that libjpeg scales by the quality (ITU-T T.81, table K.1)


@dataclass
class FileTraits:
    """Counts over the image files of a set.

    Attributes:
        formats: Files of each format.
        sizes: Files of each width and height.
        qualities: About the quality of each JPEG that was looked at, 1 to 100.
    """

    formats: Counter[str] = field(default_factory=Counter)
    sizes: Counter[Size] = field(default_factory=Counter)
    qualities: list[int] = field(default_factory=list)

    def look(self, data: bytes) -> None:
        """Count a file by its head; what is no image is not counted."""
        try:
            info = glance(data)
        except DecodeError:
            return
        self.formats[info.format] += 1
        self.sizes[info.width, info.height] += 1
        quality = jpeg_quality(data) if info.format == "jpeg" else None
        if quality is not None:
            self.qualities.append(quality)

    def add(self, other: "FileTraits") -> None:
        """Count the files of another."""
        self.formats += other.formats
        self.sizes += other.sizes
        self.qualities += other.qualities

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        sizes = [[*size, count] for size, count in sorted(self.sizes.items())]
        return {"formats": dict(sorted(self.formats.items())), "sizes": sizes, "qualities": sorted(self.qualities)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "FileTraits":
        """Return what ``to_json`` made."""
        sizes = Counter({(int(width), int(height)): int(count) for width, height, count in found["sizes"]})
        return cls(Counter(dict(found["formats"])), sizes, list(map(int, found["qualities"])))


def jpeg_quality(data: bytes) -> int | None:
    """Return about the quality, 1 to 100, with which libjpeg would have saved a JPEG; None where no table says it.

    Below 20 it is told too high, since steps end at 255.
    """
    try:
        tables = JpegImagePlugin.JpegImageFile(io.BytesIO(data)).quantization
    except (OSError, SyntaxError, ValueError, struct.error):
        return None
    table = tables[min(tables)] if tables else []
    if len(table) != TABLE_LENGTH:
        return None
    scale = 100.0 * sum(table) / TABLE_SUM
    quality = (200.0 - scale) / 2.0 if scale <= 100.0 else 5000.0 / scale
    return min(max(round(quality), 1), 100)


def differences(a: FileTraits, b: FileTraits) -> list[str]:
    """Return in what the files of two sets differ throughout, a sentence each.

    >>> differences(FileTraits(Counter(png=9)), FileTraits(Counter(jpeg=9)))
    ['a is png throughout, b is jpeg throughout']
    """
    found = []
    if a.formats and b.formats and _apart(a.formats, b.formats) > APART:
        found.append(f"a is {_formats_of(a)}, b is {_formats_of(b)}")
    if min(len(a.qualities), len(b.qualities)) >= ENOUGH:
        left, right = (round(median(each.qualities)) for each in (a, b))
        if abs(left - right) > QUALITY_APART:
            found.append(f"JPEGs of a have a quality of about {left}, those of b of about {right}")
    if a.sizes and b.sizes and _sizes_differ(a.sizes, b.sizes):
        found.append(f"a is {_sizes_of(a)}, b is {_sizes_of(b)}")
    return found


def _apart(a: Counter[str], b: Counter[str]) -> float:
    """Return the distance of two shares in total variation, 0 to 1."""
    return sum(abs(a[name] / a.total() - b[name] / b.total()) for name in {*a, *b}) / 2.0


def _sizes_differ(a: Counter[Size], b: Counter[Size]) -> bool:
    """Return whether one side is of one size throughout and the other is not, or of another."""
    (left, most), (right, more) = a.most_common(1)[0], b.most_common(1)[0]
    is_one, is_other = most / a.total() >= MOST, more / b.total() >= MOST
    return (is_one or is_other) and (left != right or is_one != is_other)


def _formats_of(traits: FileTraits) -> str:
    name, most = traits.formats.most_common(1)[0]
    share = most / traits.formats.total()
    return f"{name} throughout" if share >= MOST else f"{name} to {share:.0%}"


def _sizes_of(traits: FileTraits) -> str:
    (width, height), most = traits.sizes.most_common(1)[0]
    if most / traits.sizes.total() >= MOST:
        return f"{width} x {height} throughout"
    return f"of {len(traits.sizes):,} sizes, {_middle(traits.sizes, 0)} x {_middle(traits.sizes, 1)} in the middle"


def _middle(sizes: Counter[Size], axis: int) -> int:
    return int(median(size[axis] for size in sizes.elements()))
