"""Whether boxes lie where their pictures are.

Boxes in other units, as corners, or of pictures of another size mostly reach out of the pictures, and a rule of places
and sizes would judge them as they stand. A few that reach over an edge are a detector's guess at what is cut off.
"""

from typing import NamedTuple, cast

from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord
from diptych.evaluate.imports.matched import Matched
from diptych.evaluate.imports.matching import Matcher
from diptych.judges.contract import Box

BESIDE = "a box beside its picture"
OVER = 0.05  # of a side, that a box may lie over an edge and still be about what is seen
MOST = 0.5  # of the boxes, that do so only where they are of something else
WANTED = "a bbox is left, top, width and height in pixels of the picture as it lies in the dataset"

Size = tuple[int, int]


class BoxPlaces(NamedTuple):
    """How many boxes reach over the edge of their picture, and how many have one whose size nobody tells."""

    over: int
    unknown: int

    @property
    def words(self) -> str:
        """What is to be said of them; empty where nothing is."""
        said = f"; {self.over:,} reach far over the edge of their picture" if self.over else ""
        return said + (f"; {self.unknown:,} of pictures whose size nobody tells" if self.unknown else "")


def look_at_places(matcher: Matcher, matched: Matched) -> BoxPlaces:
    """Leave out what lies beside its picture, and return how many boxes reach over its edge.

    Raises:
        DataError: If most do one or the other, or all are smaller than a pixel.
    """
    boxes = [(row, one) for row, said in matched.records.items() for one in said if isinstance(one.said, Box)]
    sized = [(one, size) for row, one in boxes if (size := matcher.sizes[row] or one.size) is not None]
    beside = [(one, size) for one, size in sized if _is_beside(_box(one), size)]
    over = [(one, size) for one, size in sized if _is_over(_box(one), size)]
    if boxes and all(max(_box(one).corners) <= 1.0 for _, one in boxes):
        raise DataError(f"{boxes[0][1].place.file}: no box is larger than a pixel; {WANTED}, and no share of its sides")
    if len(over) > MOST * len(sized):
        (first, (width, height)), corners = over[0], ", ".join(f"{value:g}" for value in _box(over[0][0]).corners)
        raise DataError(
            f"{first.place}: reaches from {corners} in a picture of {width}x{height}, and {len(over):,} of "
            f"{len(sized):,} boxes reach over an edge so; {WANTED}"
        )
    strays = {id(one) for one, _ in beside}
    for row, said in matched.records.items():
        matched.records[row] = [one for one in said if id(one) not in strays]
    for one, _ in beside:
        matched.leave_out(one, BESIDE)
    return BoxPlaces(len(over) - len(beside), len(boxes) - len(sized))


def _box(record: EvidenceRecord) -> Box:
    return cast("Box", record.said)


def _is_beside(box: Box, size: Size) -> bool:
    left, top, right, bottom = box.corners
    return right <= 0.0 or bottom <= 0.0 or left >= size[0] or top >= size[1]


def _is_over(box: Box, size: Size) -> bool:
    """Return whether a box reaches out of its picture by more than a guess at what is cut off; one beside it does."""
    left, top, right, bottom = box.corners
    least, width, height = min(left / size[0], top / size[1]), right / size[0], bottom / size[1]
    return _is_beside(box, size) or least < -OVER or max(width, height) > 1.0 + OVER
