"""TrOCR (Li et al. 2021, arXiv 2109.10282): reads one line of print or handwriting per picture.

It finds no lines: with ``lines: whole`` the whole picture is taken for one, which suits crops; with ``lines: rapidocr``
RapidOCR finds them, sure or not, and TrOCR reads each. It reads greedily and is cut off after 64 tokens, as its
configuration says; the published one searches with four beams. The confidence of a line is the geometric mean of the
probabilities of its tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.judges.contract import Corners, TextLine
from diptych.judges.prepared import groups_of_one_shape, prepared_by
from diptych.judges.text.rapidocr import RapidOcr, rapidocr
from diptych.judges.text.spoken import Utterance, confidence, spoken_of
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

JUDGE = "trocr"
CHUNK = 16  # lines that the network reads at once
MOST_TOKENS = 64

FindsLines = Literal["whole", "rapidocr"]


@dataclass(frozen=True, eq=False)
class Trocr:
    """One reader, loaded on first use.

    Attributes:
        model: Where it is.
        finder: Finds lines; None takes a picture for one.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    finder: RapidOcr | None
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, who finds lines, how it reads, precision."""
        return {
            "judge": JUDGE,
            "version": 1,
            **self.model.facts,
            "lines": "whole" if self.finder is None else dict(self.finder.identity),
            "search": {"kind": "greedy", "most_tokens": MOST_TOKENS},
            "precision": self.precision,
        }

    def text(self, images: Sequence[Image]) -> list[list[TextLine] | None]:
        """Return the lines in each RGB image in reading order; None for one that a network cannot take."""
        places = self._places(images)
        wanted = [(number, corners) for number, some in enumerate(places) for corners in some or ()]
        crops = [images[number].crop(_outwards(corners)) for number, corners in wanted]
        read: list[list[TextLine] | None] = [None if some is None else [] for some in places]
        for (number, corners), said in zip(wanted, self._read(crops), strict=True):
            if said is not None:
                read[number] = [*(read[number] or []), *self._line(said, corners)]
            elif self.finder is None:  # a found line too thin to be read is none, and its neighbours are read
                read[number] = None
        return read

    def _places(self, images: Sequence[Image]) -> list[list[Corners] | None]:
        if self.finder is None:
            return [[(0.0, 0.0, float(image.width), float(image.height))] for image in images]
        return [None if found is None else [line.corners for line in found] for found in self.finder.text(images)]

    def _read(self, crops: Sequence[Image]) -> list[Utterance | None]:
        import torch

        where = f"judge {JUDGE!r}: {self.model.path}"
        given = {number: prepared_by(self._processor.image_processor, crop, where) for number, crop in enumerate(crops)}
        pixels = {number: one["pixel_values"][0] for number, one in given.items() if one is not None}
        read: list[Utterance | None] = [None] * len(crops)
        with torch.inference_mode():
            for numbers in groups_of_one_shape(pixels, CHUNK):
                for number, said in zip(numbers, self._spoken([pixels[one] for one in numbers]), strict=True):
                    read[number] = said
        return read

    def _spoken(self, pixels: Sequence[Any]) -> list[Utterance]:
        import torch

        network = self._network
        batch = torch.stack(list(pixels)).to(network.device, network.dtype)
        return spoken_of(network, {"pixel_values": batch}, MOST_TOKENS)

    def _line(self, said: Utterance, corners: Corners) -> list[TextLine]:
        text = self._processor.tokenizer.decode([one.token for one in said.tokens], skip_special_tokens=True).strip()
        return [TextLine(text, confidence(said.tokens), corners, said.is_cut)] if text or said.is_cut else []

    @cached_property
    def _processor(self) -> Any:
        return self.model.processor("TrOCRProcessor")

    @cached_property
    def _network(self) -> Any:
        return self.model.load("VisionEncoderDecoderModel", self.precision, self.device)


def trocr(
    *,
    weights: Annotated[str, SuchAs("microsoft/trocr-base-printed")],
    lines: FindsLines = "whole",
    precision: Precision = "fp32",
    device: str = "auto",
) -> Trocr:
    """Return a judge that reads; loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as ``microsoft/trocr-base-printed``,
            with ``@REVISION`` behind it where it is to be a certain one.
        lines: Who finds lines: ``whole`` takes a picture for one, ``rapidocr`` is the judge of that name.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model; on first use, if there is no such device.
        DataError: If the model cannot be fetched; on first use, if the weights do not load.
        MissingExtra: If RapidOCR is to find lines and is not installed.
    """
    finder = rapidocr(least_confidence=0.0) if lines == "rapidocr" else None
    return Trocr(find_pretrained(weights, f"judge {JUDGE!r}: weights"), finder, precision, device)


def _outwards(corners: Corners) -> tuple[int, int, int, int]:
    left, top, right, bottom = corners
    return int(left), int(top), max(int(right), int(left) + 1), max(int(bottom), int(top) + 1)
