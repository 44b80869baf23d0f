"""Mask2Former: things with their masks, as GenEval's detector finds them.

GenEval's own weights are of another library (mmdetection's Swin-S of 50 epochs) and have no class in transformers;
Meta's, such as ``facebook/mask2former-swin-small-coco-instance``, are of the same design and another judge, whose
numbers have another name. What is done with the network's output is mmdetection's, whose masks fit the picture: the
logits are laid on the prepared picture, what was padded is cut off, and only then they are laid on the picture itself;
transformers would stretch picture and padding together. A score is the probability of the class times the mean
probability of the mask's pixels; a box is the one around the mask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders import Encoder
from diptych.judges.boxes.closed_labels import ClosedLabels, closed_labels
from diptych.judges.boxes.detections import LEAST_SCORE, Detection, DetectorOptions, Prepared, as_batch
from diptych.judges.boxes.masks import box_around, run_lengths

MOST = 100  # things of one picture; mmdetection's max_per_image


@dataclass(frozen=True)
class FindsMasks:
    """Asks a network of ``AutoModelForUniversalSegmentation``."""

    judge: str = "instance_segmentation"
    network: str = "AutoModelForUniversalSegmentation"

    def find(
        self, network: Any, processor: Any, prepared: Sequence[Prepared], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size."""
        output = network(**as_batch(prepared, network))
        for one, classes, masks in zip(
            prepared, output.class_queries_logits.float(), output.masks_queries_logits.float(), strict=True
        ):
            yield list(_things(one, classes, masks, least))


def instance_segmentation(
    *,
    weights: Annotated[str, SuchAs("facebook/mask2former-swin-small-coco-instance")],
    names: dict[str, str] | None = None,
    least_score: float = LEAST_SCORE,
    encoder: Encoder | None = None,
    precision: Precision = "fp32",
    device: str = "auto",
) -> ClosedLabels:
    """Return a judge that finds things and their masks, of a closed list of classes; loads no weights yet.

    Args:
        weights: Folder of a Mask2Former or MaskFormer of transformers that was trained for instances, or its name on
            the hub, such as ``facebook/mask2former-swin-small-coco-instance``, with ``@REVISION`` behind it.
        names: What a class of the model is to be called, where that is not what benchmarks call it.
        least_score: What it is less sure of it does not tell, in [0, 1).
        encoder: Tells the colours of things, zero-shot; GenEval's is ViT-L-14 of OpenAI.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: See ``closed_labels``; on first use, if there is no such device.
        DataError: See ``closed_labels``; on first use, if the weights do not load.
    """
    options = DetectorOptions(weights, names, least_score, encoder, precision, device)
    return closed_labels(FindsMasks(), options)


def _things(one: Prepared, classes: Any, masks: Any, least: float) -> Iterator[Detection]:
    """Yield the likeliest pairs of query and class.

    Args:
        one: The picture.
        classes: Tensor float32 (queries, classes + 1), logits; the last is that of no thing.
        masks: Tensor float32 (queries, h, w), logits.
        least: What is less sure need not be told; a score is at most the probability of its class.
    """
    likely = classes.softmax(dim=-1)[:, :-1]
    scores, places = likely.flatten().topk(min(MOST, likely.numel()))
    for score, place in zip(scores.tolist(), places.tolist(), strict=True):
        if score < least:
            return
        query, number = divmod(place, likely.shape[-1])
        logits = _laid_on_picture(masks[query], one)
        inside = logits > 0.0
        mask = inside.cpu().numpy()
        corners = box_around(mask)
        if corners is not None:
            sure = logits.sigmoid()[inside].mean().item()
            yield Detection(number, score * sure, corners, run_lengths(mask))


def _laid_on_picture(logits: Any, one: Prepared) -> Any:
    """Return the logits of one mask for each pixel of the picture, tensor float32 (height, width)."""
    from torch.nn.functional import interpolate

    height, width = one.pixels.shape[-2:]
    on_prepared = interpolate(logits[None, None], size=(height, width), mode="bilinear", align_corners=False)
    if one.mask is not None:  # padding is below and to the right
        height, width = int(one.mask[:, 0].sum()), int(one.mask[0].sum())
    return interpolate(on_prepared[..., :height, :width], size=one.size, mode="bilinear", align_corners=False)[0, 0]
