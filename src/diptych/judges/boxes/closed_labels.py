"""Detectors of a closed list of classes, through transformers; how a network finds things is up to its ``Finder``.

Pictures of one prepared size are looked at together and none is padded, so that no neighbour changes what is found.
With an ``encoder`` a detector tells colours as well, see ``colours``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from diptych.data.images import Image
from diptych.devices import Precision
from diptych.judges.boxes.class_names import benchmark_names
from diptych.judges.boxes.colours import COLOURS, ColourNames
from diptych.judges.boxes.detections import Detection, DetectorOptions, Prepared, check_least_score, prepared_picture
from diptych.judges.contract import COLOUR, Box
from diptych.judges.prepared import groups_of_one_shape
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

CHUNK = 8  # pictures that a network sees at once


class Finder(Protocol):
    """How one kind of network is asked."""

    @property
    def judge(self) -> str:
        """Name of the judge."""
        ...

    @property
    def network(self) -> str:
        """Name of the class in transformers that loads it."""
        ...

    def find(
        self, network: Any, processor: Any, prepared: Sequence[Prepared], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size, the corners within the picture.

        What is less sure than ``least`` need not be told.
        """
        ...


@dataclass(frozen=True, eq=False)
class ClosedLabels:
    """One detector, loaded on first use.

    Attributes:
        finder: How its network is asked.
        model: Where it is.
        names: What benchmarks call its classes, by their numbers; None for numbers that stand for nothing.
        least_score: What it is less sure of it does not tell, in [0, 1).
        colours: Tells the colours of things; None tells none.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    finder: Finder
    model: PretrainedFolder
    names: Mapping[int, str | None]
    least_score: float
    colours: ColourNames | None
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, its classes, least score, precision, and who tells colours."""
        return {
            "judge": self.finder.judge,
            "version": 1,
            **self.model.facts,
            "classes": list(self.names.values()),
            "least_score": self.least_score,
            "precision": self.precision,
            "colours": None if self.colours is None else self.colours.identity,
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything that it can find."""
        return tuple(dict.fromkeys(name for name in self.names.values() if name is not None))

    @property
    def traits(self) -> Mapping[str, tuple[str, ...]]:
        """The colours, where an encoder tells them."""
        return {} if self.colours is None else {COLOUR: COLOURS}

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> list[list[Box] | None]:
        """Return what is in each RGB image, the surest first; None for one that the network cannot take."""
        prepared = {number: one for number, image in enumerate(images) if (one := self._prepared(image)) is not None}
        found: list[list[Box] | None] = [None] * len(images)
        for numbers in groups_of_one_shape({number: one.pixels for number, one in prepared.items()}, CHUNK):
            some = [prepared[number] for number in numbers]
            for number, things in zip(numbers, self._find(some), strict=True):
                found[number] = self._coloured(images[number], self._boxes(things))
        if labels is None:
            return found
        pairs = zip(found, labels, strict=True)
        return [some and [box for box in some if box.label in wanted] for some, wanted in pairs]

    def _prepared(self, image: Image) -> Prepared | None:
        return prepared_picture(self._processor, image, f"judge {self.finder.judge!r}: {self.model.path}")

    def _coloured(self, image: Image, boxes: list[Box]) -> list[Box]:
        return boxes if self.colours is None else self.colours.told_of(image, boxes)

    def _find(self, prepared: Sequence[Prepared]) -> Iterator[list[Detection]]:
        import torch

        with torch.inference_mode():
            yield from self.finder.find(self._network, self._processor, prepared, self.least_score)

    def _boxes(self, things: Sequence[Detection]) -> list[Box]:
        named = [(self.names.get(thing.number), thing) for thing in things if thing.score >= self.least_score]
        boxes = [Box(name, min(thing.score, 1.0), thing.corners, (), thing.mask) for name, thing in named if name]
        return sorted(boxes, key=lambda box: -box.score)

    @cached_property
    def _processor(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _network(self) -> Any:
        return self.model.load(self.finder.network, self.precision, self.device)


def closed_labels(finder: Finder, options: DetectorOptions) -> ClosedLabels:
    """Return a detector; finds (and downloads, unless offline) its files but loads no weights yet.

    Raises:
        ConfigError: If there is no such model, ``names`` names a class that it does not have, or the least score is out
            of range.
        DataError: If the model cannot be fetched, or its configuration names no classes.
    """
    where = f"judge {finder.judge!r}"
    check_least_score(options.least_score, where)
    model = find_pretrained(options.weights, f"{where}: weights")
    names = benchmark_names(model.labels, options.names, where)
    colours = None if options.encoder is None else ColourNames(options.encoder)
    return ClosedLabels(finder, model, names, options.least_score, colours, options.precision, options.device)
