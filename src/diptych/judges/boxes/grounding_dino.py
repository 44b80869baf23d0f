"""Grounding DINO and MM Grounding DINO: boxes of whatever a text names.

The network scores each box against each token of a text, and all labels of one text change one another. So a text is
one label, ``dog.``, and costs a pass of the network. The score of a label is the greatest over its own tokens, without
those around it: the rule of the authors' ``predict`` (Liu et al. 2023, arXiv 2303.05499; IDEA-Research/GroundingDINO,
groundingdino/util/inference.py), whose threshold for boxes is 0.35. Their evaluation on COCO takes the mean instead
(demo/test_ap_on_coco.py). Nothing is read back from the tokens: the phrases that they spell, with those of two labels
run together, are not labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders import Encoder
from diptych.judges.boxes.detections import LEAST_SCORE, Detection, DetectorOptions, Prepared, as_batch
from diptych.judges.boxes.masks import within
from diptych.judges.boxes.open_labels import CHUNK, GAP, OpenLabels, TokenIds, open_labels
from diptych.judges.prepared import groups_of_one_shape

BEFORE, BEHIND = 1, 2  # tokens of a text that are none of its label's: [CLS], and the full stop with [SEP]


@dataclass(frozen=True)
class SeeksByTokens:
    """Asks a network of Grounding DINO's design."""

    judge: str = "grounding_dino"
    families: tuple[str, ...] = ("grounding-dino", "mm-grounding-dino")
    text: str = f"{GAP}."
    rule: str = "greatest of the label's own tokens"
    separators: str = ".?"

    def longest(self, config: Mapping[str, Any]) -> int:
        """Return how many tokens of a text the network reads; 256 where its configuration leaves that out."""
        return int(config.get("max_text_len", 256))

    def seek(
        self, network: Any, prepared: Sequence[Prepared], asked: Sequence[Sequence[TokenIds]], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size; texts of one length are read together."""
        import torch

        pairs = [(picture, label) for picture, some in enumerate(asked) for label in range(len(some))]
        texts = {number: torch.tensor(asked[picture][label]) for number, (picture, label) in enumerate(pairs)}
        found: list[list[Detection]] = [[] for _ in prepared]
        for numbers in groups_of_one_shape(texts, CHUNK):
            some = [prepared[pairs[number][0]] for number in numbers]
            for number, one, output in zip(
                numbers, some, _outputs(network, some, [texts[number] for number in numbers]), strict=True
            ):
                picture, label = pairs[number]
                found[picture] += _things(label, one, *output, least)
        yield from found


def grounding_dino(
    *,
    weights: Annotated[str, SuchAs("IDEA-Research/grounding-dino-tiny")],
    names: dict[str, str] | None = None,
    least_score: float = LEAST_SCORE,
    encoder: Encoder | None = None,
    precision: Precision = "fp32",
    device: str = "auto",
) -> OpenLabels:
    """Return a judge that finds boxes of whatever it is asked for; loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as
            ``IDEA-Research/grounding-dino-tiny``, with ``@REVISION`` behind it where it is to be a certain one.
        names: By what words a label of the prompts is looked for, where its own are not the best.
        least_score: What it is less sure of it does not tell, in [0, 1).
        encoder: Tells the colours of things, zero-shot; GenEval's is ViT-L-14 of OpenAI.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: See ``open_labels``; on first use, if there is no such device, or a label cannot be asked for.
        DataError: See ``open_labels``; on first use, if the weights do not load.
    """
    return open_labels(SeeksByTokens(), DetectorOptions(weights, names, least_score, encoder, precision, device))


def _outputs(network: Any, prepared: Sequence[Prepared], texts: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield of each picture with its text the score of each box and the box, float32 (boxes,) and (boxes, 4)."""
    import torch

    ids = torch.stack(list(texts)).to(network.device)
    text = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    output = network(**as_batch(prepared, network), **text)
    own = output.logits[..., BEFORE : ids.shape[1] - BEHIND].float().amax(dim=-1).sigmoid().cpu()
    yield from zip(own, output.pred_boxes.float().cpu(), strict=True)


def _things(label: int, one: Prepared, scores: Any, boxes: Any, least: float) -> Iterator[Detection]:
    from torchvision.ops import box_convert

    height, width = one.size
    sure = scores >= least
    corners = box_convert(boxes[sure], "cxcywh", "xyxy") * boxes.new_tensor([width, height, width, height])
    for score, place in zip(scores[sure].tolist(), corners.tolist(), strict=True):
        yield Detection(label, score, within(place, width, height))
