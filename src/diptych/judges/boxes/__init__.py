"""Detectors: pictures to things with a box, a colour and an attribute, behind one small contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from diptych.lookup import resolve

if TYPE_CHECKING:  # the table below must load without PIL
    from diptych.data.images import Image

Box = tuple[float, float, float, float]

# To add one: a module with a keyword-only factory, a line here (alphabetical), a test.
DETECTORS: dict[str, str] = {
    "centre_point": "diptych.judges.boxes.centre_point:centre_point",
}


@dataclass(frozen=True)
class Detection:
    """One thing in a picture.

    Attributes:
        label: What it is: one of the detector's labels.
        score: How sure the detector is of it, in [0, 1].
        box: Left, top, right, bottom in pixels of the picture.
        colour: One of the detector's colours, empty if it says none.
        attribute: One of the detector's attributes, empty if it sees none.
        attribute_score: How sure it is of that attribute, given that the thing is there, in [0, 1].
    """

    label: str
    score: float
    box: Box
    colour: str = ""
    attribute: str = ""
    attribute_score: float = 0.0


class Detector(Protocol):
    """Finds things in pictures.

    Loading weights happens on the first ``detect``; constructing a detector is cheap, so that a run whose results all
    exist loads no model.
    """

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change a detection: kind, weights sha256, preprocessing, options."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything that it can find."""
        ...

    @property
    def colours(self) -> tuple[str, ...]:
        """Every colour that it can tell; empty if it tells none."""
        ...

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that it can see; empty if it sees none."""
        ...

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Return what is in each RGB image, the surest first; no neighbour in the batch changes it."""
        ...


def make_detector(kind: str, options: Mapping[str, Any]) -> Detector:
    """Build the detector ``kind`` from its options, as a config file names them.

    Raises:
        ConfigError: If the kind is unknown or an option does not fit.
    """
    from diptych.config.options import call_with_options

    detector: Detector = call_with_options(resolve(DETECTORS, "detector", kind), options, where=f"detector {kind!r}")
    return detector
