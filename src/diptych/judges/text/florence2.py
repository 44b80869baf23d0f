"""Florence-2 (Xiao et al. 2023, arXiv 2311.06242), asked for text with its places: the task ``<OCR_WITH_REGION>``.

It says each line and four points around it, in thousandths of the picture; what it does not place is no line. It reads
greedily, where its model card searches with three beams, and is cut off after 1,024 tokens, as there; what it said
behind its last place is then an empty line of the whole picture that is cut. The confidence of a line is the geometric
mean of the probabilities of its tokens, those of its place among them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any

import numpy as np

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.judges.contract import TextLine
from diptych.judges.prepared import groups_of_one_shape, prepared_by
from diptych.judges.text.lines import in_reading_order, upright
from diptych.judges.text.spoken import Spoken, Utterance, confidence, spoken_of
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

JUDGE = "florence2"
TASK = "<OCR_WITH_REGION>"
PLACE = re.compile(r"<loc_\d+>")  # a token that is a place
POINTS = 4
CHUNK = 4  # pictures that the network sees at once
MOST_TOKENS = 1024


@dataclass(frozen=True, eq=False)
class Florence2:
    """One reader, loaded on first use.

    Attributes:
        model: Where it is.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, task, how it reads, precision."""
        return {
            "judge": JUDGE,
            "version": 1,
            **self.model.facts,
            "task": TASK,
            "search": {"kind": "greedy", "most_tokens": MOST_TOKENS},
            "precision": self.precision,
        }

    def text(self, images: Sequence[Image]) -> list[list[TextLine] | None]:
        """Return the lines in each RGB image in reading order; None for one that the network cannot take."""
        import torch

        asking = partial(self._processor, text=TASK)
        where = f"judge {JUDGE!r}: {self.model.path}"
        given = {number: prepared_by(asking, image, where) for number, image in enumerate(images)}
        whole = {number: one for number, one in given.items() if one is not None}
        read: list[list[TextLine] | None] = [None] * len(images)
        with torch.inference_mode():
            for numbers in groups_of_one_shape({number: one["pixel_values"] for number, one in whole.items()}, CHUNK):
                spoken = self._spoken([whole[number] for number in numbers])
                for number, said in zip(numbers, spoken, strict=True):
                    read[number] = self._read(said, images[number].size)
        return read

    def _read(self, said: Utterance, size: tuple[int, int]) -> list[TextLine]:
        whole = (0.0, 0.0, float(size[0]), float(size[1]))
        rest = [TextLine("", 1.0, whole, is_cut=True)] if said.is_cut else []
        return [*in_reading_order(self._lines(said.tokens, size)), *rest]

    def _spoken(self, given: Sequence[Mapping[str, Any]]) -> list[Utterance]:
        import torch

        network = self._network
        batch = {name: torch.cat([one[name] for one in given]) for name in ("input_ids", "attention_mask")}
        pixels = torch.cat([one["pixel_values"] for one in given]).to(network.device, network.dtype)
        on_device = {name: tensor.to(network.device) for name, tensor in batch.items()}
        return spoken_of(network, {**on_device, "pixel_values": pixels}, MOST_TOKENS)

    def _lines(self, said: Sequence[Spoken], size: tuple[int, int]) -> Iterator[TextLine]:
        for tokens in self._by_line(said):
            answer = self._processor.post_process_generation(text=self._words(tokens), task=TASK, image_size=size)[TASK]
            for text, points in zip(answer["labels"], answer["quad_boxes"], strict=True):
                if text:
                    yield TextLine(text, confidence(tokens), upright(np.reshape(points, (POINTS, 2)), size))

    def _words(self, tokens: Sequence[Spoken]) -> str:
        """Return a line and its place as the library looks for them: no spaces between the numbers of the place."""
        ids, tokenizer = [one.token for one in tokens], self._processor.tokenizer
        place = tokenizer.convert_ids_to_tokens(ids[-2 * POINTS :])
        return "".join([tokenizer.decode(ids[: -2 * POINTS]), *place])

    def _by_line(self, said: Sequence[Spoken]) -> Iterator[list[Spoken]]:
        """Yield the tokens of each line: up to the last number of its place."""
        names = self._processor.tokenizer.convert_ids_to_tokens([one.token for one in said])
        line: list[Spoken] = []
        numbers = 0
        for one, name in zip(said, names, strict=True):
            line.append(one)
            numbers = numbers + 1 if PLACE.fullmatch(name) else 0
            if numbers == 2 * POINTS:
                yield line
                line, numbers = [], 0

    @cached_property
    def _processor(self) -> Any:
        return self.model.processor("Florence2Processor")

    @cached_property
    def _network(self) -> Any:
        return self.model.load("Florence2ForConditionalGeneration", self.precision, self.device)


def florence2(
    *,
    weights: Annotated[str, SuchAs("florence-community/Florence-2-base")],
    precision: Precision = "fp32",
    device: str = "auto",
) -> Florence2:
    """Return a judge that reads; loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as
            ``florence-community/Florence-2-base``, with ``@REVISION`` behind it where it is to be a certain one.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model; on first use, if there is no such device.
        DataError: If the model cannot be fetched; on first use, if the weights do not load.
    """
    return Florence2(find_pretrained(weights, f"judge {JUDGE!r}: weights"), precision, device)
