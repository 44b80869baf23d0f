"""Things that a detector found, with how near each is: by a network that tells the depth of every pixel.

Nearness is from 0 for what is farthest in a picture to 1 for what is nearest, of a box the mean over its pixels; it
compares things of one picture and is no distance. Source: ``UniDet_eval/3D_spatial_eval.py`` of
Karine-Huang/T2I-CompBench at 1b70949, which has it of DPT-Hybrid (MiDaS) and looks it up with the axes of the box
swapped; both are told. Its map has 256 levels, here it has all that the network tells.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import NEAR, NEARNESS, NEARNESS_SWAPPED, Box, BoxJudge, Trait
from diptych.judges.evidence import BOXES
from diptych.judges.prepared import groups_of_one_shape, prepared_by
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

CHUNK = 8  # pictures that the network sees at once
KEYS = ("kind", "options")

LargerIs = Literal["nearer", "farther"]


@dataclass(frozen=True, eq=False)
class BoxesWithDepth:
    """One detector and one network of depth, loaded on first use.

    Attributes:
        detector: Finds the boxes.
        model: Where the network is.
        larger_is: What a larger number of the network means.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    detector: BoxJudge
    model: PretrainedFolder
    larger_is: LargerIs
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, the detector's identity, sha256 of the network's files and what its numbers mean."""
        detector = dict(self.detector.identity)
        depth = {**self.model.facts, "larger_is": self.larger_is, "precision": self.precision}
        return {"judge": f"{detector['judge']}_with_depth", "version": 1, "detector": detector, "depth": depth}

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Everything that the detector can find."""
        return self.detector.labels

    @property
    def traits(self) -> Mapping[str, tuple[str, ...]]:
        """Those that the detector tells, and nearness."""
        return {**self.detector.traits, NEARNESS: (NEAR,), NEARNESS_SWAPPED: (NEAR,)}

    @property
    def least_score(self) -> float:
        """What the detector is less sure of it does not tell."""
        return self.detector.least_score

    def check_labels(self, labels: Iterable[str]) -> None:
        """Check that the detector can be asked for each of some labels.

        Raises:
            ConfigError: If it cannot.
        """
        check = getattr(self.detector, "check_labels", None)
        if check is not None:
            check(labels)

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> list[list[Box] | None]:
        """Return what is in each RGB image with how near it is; None for one that either network cannot take."""
        found = list(self.detector.boxes(images, labels))
        with_things = [number for number, some in enumerate(found) if some]
        maps = dict(self._maps({number: images[number] for number in with_things}))
        for number in with_things:
            some, near = found[number] or [], maps.get(number)
            found[number] = None if near is None else [with_nearness(box, near) for box in some]
        return found

    def _maps(self, images: Mapping[int, Image]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield how near each pixel of each picture that the network can take is, float32 (height, width)."""
        import torch

        where = f"judge 'boxes_with_depth': {self.model.path}"
        given = {number: prepared_by(self._processor, image, where) for number, image in images.items()}
        pixels = {number: one["pixel_values"] for number, one in given.items() if one is not None}
        with torch.inference_mode():
            for numbers in groups_of_one_shape(pixels, CHUNK):
                batch = torch.cat([pixels[number] for number in numbers])
                network = self._network
                depths = network(batch.to(network.device, network.dtype)).predicted_depth.float().cpu()
                for number, depth in zip(numbers, depths, strict=True):
                    yield number, self._nearness(depth, images[number])

    def _nearness(self, depth: Any, image: Image) -> npt.NDArray[np.float32]:
        import torch

        signed = depth if self.larger_is == "nearer" else -depth
        share = (signed - signed.min()) / (signed.max() - signed.min()).clamp(min=torch.finfo(torch.float32).tiny)
        size = (image.height, image.width)
        whole = torch.nn.functional.interpolate(share[None, None], size, mode="bilinear", align_corners=True)
        nearness: npt.NDArray[np.float32] = whole[0, 0].clamp(0.0, 1.0).numpy()
        return nearness

    @cached_property
    def _processor(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _network(self) -> Any:
        return self.model.load("AutoModelForDepthEstimation", self.precision, self.device)


def with_nearness(box: Box, near: npt.NDArray[np.float32]) -> Box:
    """Return a box with how near it is, and how near that is which lies there with the axes of the box swapped.

    Args:
        box: In pixels of the picture.
        near: float32 (height, width), from 0 to 1.

    >>> near = np.float32([[0.0, 0.5], [0.0, 1.0]])
    >>> [trait.probability for trait in with_nearness(Box("cat", 0.9, (1, 0, 2, 1)), near).traits]
    [0.5, 0.0]
    """
    left, top, right, bottom = (int(end) for end in box.corners)
    parts = {NEARNESS: near[top:bottom, left:right], NEARNESS_SWAPPED: near[left:right, top:bottom]}
    told = [Trait(name, NEAR, float(part.mean(dtype=np.float64))) for name, part in parts.items() if part.size]
    return replace(box, traits=(*box.traits, *told))


def boxes_with_depth(
    *,
    weights: Annotated[str, SuchAs("Intel/dpt-hybrid-midas")],
    detector: Annotated[
        dict[str, Any], SuchAs("{kind: owlv2, options: {weights: google/owlv2-base-patch16-ensemble}}")
    ],
    larger_is: LargerIs = "nearer",
    precision: Precision = "fp32",
    device: str = "auto",
) -> BoxesWithDepth:
    """Return a judge that finds boxes and tells how near they are; loads no weights yet.

    Args:
        weights: Folder of a model of depth of transformers, or its name on the hub, such as ``Intel/dpt-hybrid-midas``,
            with ``@REVISION`` behind it where it is to be a certain one.
        detector: Who finds the boxes: ``kind``, a judge of boxes that takes no encoder, and its ``options``.
        larger_is: What a larger number of the network means: ``nearer`` of MiDaS and Depth Anything, ``farther`` of
            models that tell metres.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model, or the detector is none; on first use, if there is no such device.
        DataError: If a model cannot be fetched; on first use, if its weights do not load.
    """
    where = "judge 'boxes_with_depth'"
    options = detector.get("options", {})
    if not set(detector) <= set(KEYS) or not isinstance(detector.get("kind"), str) or not isinstance(options, dict):
        raise ConfigError(f"{where}: detector is {{kind: ..., options: {{...}}}}, not {detector}")
    judge = make_judge(detector["kind"], options)
    if not hasattr(judge, BOXES.name):
        raise ConfigError(f"{where}: detector: {detector['kind']!r} finds no boxes; name one that does")
    model = find_pretrained(weights, f"{where}: weights")
    return BoxesWithDepth(judge, model, larger_is, precision, device)  # type: ignore[arg-type]  # it has boxes
