"""Object detectors that give boxes: DETR, RT-DETR, RT-DETRv2, D-FINE, YOLOS and others that transformers has.

Each has its own way from the network's output to boxes, which its processor brings. These are other judges than
GenEval's, see ``instance_segmentation``, and want thresholds of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders import Encoder
from diptych.judges.boxes.closed_labels import ClosedLabels, closed_labels
from diptych.judges.boxes.detections import LEAST_SCORE, Detection, DetectorOptions, Prepared, as_batch
from diptych.judges.boxes.masks import within


@dataclass(frozen=True)
class FindsBoxes:
    """Asks a network of ``AutoModelForObjectDetection``."""

    judge: str = "object_detection"
    network: str = "AutoModelForObjectDetection"

    def find(
        self, network: Any, processor: Any, prepared: Sequence[Prepared], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size."""
        output = network(**as_batch(prepared, network))
        output.logits, output.pred_boxes = output.logits.float().cpu(), output.pred_boxes.float().cpu()
        sizes = [one.size for one in prepared]
        every = processor.post_process_object_detection(output, threshold=least, target_sizes=sizes)
        for found, (height, width) in zip(every, sizes, strict=True):
            told = zip(found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist(), strict=True)
            yield [Detection(number, score, within(corners, width, height)) for number, score, corners in told]


def object_detection(
    *,
    weights: Annotated[str, SuchAs("PekingU/rtdetr_v2_r50vd")],
    names: dict[str, str] | None = None,
    least_score: float = LEAST_SCORE,
    encoder: Encoder | None = None,
    precision: Precision = "fp32",
    device: str = "auto",
) -> ClosedLabels:
    """Return a judge that finds boxes of a closed list of classes; loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as ``PekingU/rtdetr_v2_r50vd``, with
            ``@REVISION`` behind it where it is to be a certain one.
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
    return closed_labels(FindsBoxes(), options)
