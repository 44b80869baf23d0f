"""OWLv2: boxes of whatever a text names, each text compared with each patch of the picture by itself.

A picture is seen once, however many labels are asked about it, and a text is read once. The score of a label at a
patch is the sigmoid of the two, as in transformers (Minderer et al. 2023, arXiv 2306.09683); but there a patch is only
told for the likeliest of the labels that were asked together, and here for each that fits. A text is ``a photo of a
dog``, as in its example. Pictures are padded to a square, below and to the right, and boxes are shares of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders import Encoder
from diptych.judges.boxes.detections import LEAST_SCORE, Detection, DetectorOptions, Prepared, as_batch
from diptych.judges.boxes.masks import within
from diptych.judges.boxes.open_labels import GAP, OpenLabels, TokenIds, open_labels


@dataclass(frozen=True)
class SeeksByPatches:
    """Asks a network of OWLv2."""

    judge: str = "owlv2"
    families: tuple[str, ...] = ("owlv2",)
    text: str = f"a photo of a {GAP}"
    rule: str = "sigmoid of each patch"
    separators: str = ""
    _read: dict[TokenIds, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def longest(self, config: Mapping[str, Any]) -> int:
        """Return how many tokens of a text the network reads; 16 where its configuration leaves that out."""
        return int((config.get("text_config") or {}).get("max_position_embeddings", 16))

    def seek(
        self, network: Any, prepared: Sequence[Prepared], asked: Sequence[Sequence[TokenIds]], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size."""
        import torch

        seen, _ = network.image_embedder(as_batch(prepared, network)["pixel_values"])
        patches = seen.flatten(1, 2)
        boxes = network.box_predictor(patches, seen).float().cpu()
        for one, own, places, texts in zip(prepared, patches, boxes, asked, strict=True):
            read = torch.stack([self._vector(network, text) for text in texts])
            logits, _ = network.class_predictor(own[None], read[None])
            yield list(_things(one, logits[0].float().sigmoid().cpu(), places, least))

    def _vector(self, network: Any, text: TokenIds) -> Any:
        """Return the vector of a text, tensor (dim,)."""
        import torch

        if text not in self._read:
            ids = torch.tensor([text], device=network.device)
            vector = network.owlv2.get_text_features(ids, torch.ones_like(ids)).pooler_output[0]
            self._read[text] = vector / torch.linalg.norm(vector)
        return self._read[text]


def owlv2(
    *,
    weights: Annotated[str, SuchAs("google/owlv2-base-patch16-ensemble")],
    names: dict[str, str] | None = None,
    least_score: float = LEAST_SCORE,
    encoder: Encoder | None = None,
    precision: Precision = "fp32",
    device: str = "auto",
) -> OpenLabels:
    """Return a judge that finds boxes of whatever it is asked for; loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as
            ``google/owlv2-base-patch16-ensemble``, with ``@REVISION`` behind it where it is to be a certain one.
        names: By what words a label of the prompts is looked for, where its own are not the best.
        least_score: What it is less sure of it does not tell, in [0, 1).
        encoder: Tells the colours of things, zero-shot; GenEval's is ViT-L-14 of OpenAI.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: See ``open_labels``; on first use, if there is no such device, or a label cannot be asked for.
        DataError: See ``open_labels``; on first use, if the weights do not load.
    """
    return open_labels(SeeksByPatches(), DetectorOptions(weights, names, least_score, encoder, precision, device))


def _things(one: Prepared, scores: Any, boxes: Any, least: float) -> Iterator[Detection]:
    """Yield what is at least so sure.

    Args:
        one: The picture.
        scores: Tensor float32 (patches, labels) in [0, 1].
        boxes: Tensor float32 (patches, 4), centre and size as shares of the square that the picture was padded to.
        least: What is less sure is not told.
    """
    from torchvision.ops import box_convert

    height, width = one.size
    corners = (box_convert(boxes, "cxcywh", "xyxy") * max(one.size)).tolist()
    for patch, label in (scores >= least).nonzero().tolist():
        yield Detection(label, scores[patch, label].item(), within(corners[patch], width, height))
