"""ViLT: a classifier over the answers that it was trained on (Kim et al. 2021, arXiv 2102.03334).

It knows a few thousand answers of one or two words, those of VQA v2, and no others: a choice that is not among them is
refused. Each is trained by itself (binary cross-entropy over soft labels), so its probability is the sigmoid of its
logit, as transformers' own pipeline takes it, and those of all answers do not add up to 1. Its own words are the
likeliest of all that it knows.

A picture's patches are laid out once for all questions about it; question and picture then go through the network
together, so that nothing else can be shared. transformers shuffles the patches by chance, which changes the last
digits, and where a model looks at fewer than there are, drops some by chance: the chance is the same for every picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError
from diptych.judges.answers.asked import Asked, chosen, every_question, in_order, no_answer
from diptych.judges.contract import TOO_LONG, Answer, Query
from diptych.judges.prepared import prepared_by
from diptych.lookup import nearest
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

JUDGE = "vilt_vqa"
ASKED_AT_ONCE = 32  # pairs of question and picture that the network sees at once
SEED = 0  # of the order of patches


class Patches(NamedTuple):
    """One picture as the network takes it: tensors (1, patches + 1, width) and, 1 everywhere, (1, patches + 1)."""

    seen: Any
    mask: Any


@dataclass(frozen=True, eq=False)
class ViltVqa:
    """One network, loaded on first use.

    Attributes:
        model: Where it is.
        places: The number of each answer that it knows.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    places: Mapping[str, int]
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, the seed of the order of patches, precision."""
        own = {"patches_seed": SEED, "precision": self.precision}
        return {"judge": JUDGE, "version": 1, **self.model.facts, **own}

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> list[list[Answer] | None]:
        """Return an answer to each question about each RGB image; None for one that the network cannot take.

        Raises:
            ConfigError: If a choice is no answer that the network knows.
        """
        import torch

        for query in dict.fromkeys(query for some in questions for query in some):
            self._places_of(query)
        where = f"judge {JUDGE!r}: {self.model.path}"
        shown = [number for number, some in enumerate(questions) if some]
        given = {number: prepared_by(self._pictures, images[number], where) for number in shown}
        with torch.inference_mode():
            patches = {number: self._patches(one) for number, one in given.items() if one is not None}
            told = dict(self._told(patches, every_question(patches, questions)))
        return in_order(told, patches, questions)

    def _patches(self, given: Mapping[str, Any]) -> Patches:
        import torch

        network = self._network
        pixels = given["pixel_values"].to(network.device, network.dtype)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(SEED)
            seen, mask, _ = network.vilt.embeddings.visual_embed(
                pixels, given["pixel_mask"].to(network.device), max_image_length=network.config.max_image_length
            )
        return Patches(seen, mask)

    def _told(self, patches: Mapping[int, Patches], asked: Sequence[Asked]) -> Iterator[tuple[Asked, Answer]]:
        import torch

        network = self._network
        by_shape: dict[tuple[int, int], list[tuple[Asked, Any]]] = {}
        for one in asked:
            given = self._tokenizer(one.query.text, return_tensors="pt")
            if given["input_ids"].shape[-1] > network.config.max_position_embeddings:
                yield one, no_answer(one.query, TOO_LONG)
                continue
            shape = (given["input_ids"].shape[-1], patches[one.image].mask.shape[-1])
            by_shape.setdefault(shape, []).append((one, given))
        for pairs in by_shape.values():
            for start in range(0, len(pairs), ASKED_AT_ONCE):
                some = pairs[start : start + ASKED_AT_ONCE]
                texts = {name: torch.cat([given[name] for _, given in some]).to(network.device) for name in some[0][1]}
                shown = [patches[one.image] for one, _ in some]
                likely = network(
                    **texts,
                    image_embeds=torch.cat([one.seen for one in shown]),
                    pixel_mask=torch.cat([one.mask for one in shown]),
                ).logits
                for (one, _), row in zip(some, likely.float().sigmoid().tolist(), strict=True):
                    yield one, self._answer(one.query, row)

    def _answer(self, query: Query, likely: Sequence[float]) -> Answer:
        if query.choices:
            return chosen(query, [likely[place] for place in self._places_of(query)])
        return Answer(query.text, (), (), max(self.places, key=lambda name: likely[self.places[name]]))

    def _places_of(self, query: Query) -> list[int]:
        for choice in query.choices:
            if choice.lower() not in self.places:
                close = " or ".join(repr(name) for name in nearest(choice.lower(), self.places))
                raise ConfigError(
                    f"judge {JUDGE!r}: {choice!r} is none of the {len(self.places):,} answers that {self.model.path} "
                    f"knows{f', such as {close}' if close else ''}; ask another judge for it"
                )
        return [self.places[choice.lower()] for choice in query.choices]

    @cached_property
    def _tokenizer(self) -> Any:
        return self.model.processor("AutoTokenizer")

    @cached_property
    def _pictures(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _network(self) -> Any:
        return self.model.load("ViltForQuestionAnswering", self.precision, self.device)


def vilt_vqa(
    *,
    weights: Annotated[str, SuchAs("dandelin/vilt-b32-finetuned-vqa")],
    precision: Precision = "fp32",
    device: str = "auto",
) -> ViltVqa:
    """Return a judge that answers; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a ``ViltForQuestionAnswering`` of transformers, or its name on the hub, such as
            ``dandelin/vilt-b32-finetuned-vqa``, with ``@REVISION`` behind it where it is to be a certain one.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model; on first use, if there is no such device.
        DataError: If the model cannot be fetched or names no answers; on first use, if its weights do not load.
    """
    model = find_pretrained(weights, f"judge {JUDGE!r}: weights")
    places = {answer.lower(): number for number, answer in sorted(model.labels.items(), reverse=True)}
    return ViltVqa(model, places, precision, device)
