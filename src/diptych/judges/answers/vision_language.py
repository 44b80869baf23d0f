"""Any vision-language model of ``AutoModelForImageTextToText``: Qwen2.5-VL, Qwen3-VL, InternVL, LLaVA, PaliGemma, ...

With choices it says how likely each of them is at the first token of its answer, see ``first_token``; the probabilities
are over the whole vocabulary and need not add up to 1. Where all choices have less than half of it together there is no
answer, except in ``official`` summation, which has no such rule.

Without choices it answers in its own words, greedily; what cannot be parsed is up to the rule that reads them. What
else decides them, such as a penalty for repetition, is the model's own ``generation_config.json``, whose sha256 is part
of the identity.

Asked for text it reads, see ``diptych.judges.text.transcription``: one model in memory does both.

A picture is seen once for all its questions where the model allows it, see ``seen_once``. Questions of one length are
read together, about whichever pictures, and none is padded to a neighbour's length.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Annotated, Any, Literal, NamedTuple

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError
from diptych.judges.answers.asked import Asked, chosen, chosen_if_meant, every_question, in_order, no_answer
from diptych.judges.answers.first_token import Summation, first_tokens
from diptych.judges.answers.prompts import ASKED, begins_whole, prompt_of
from diptych.judges.answers.seen_once import PIXELS, PreparesOnce, can_be_joined, joined, seen, why_not_shared
from diptych.judges.contract import TOO_LONG, Answer, Query, TextLine
from diptych.judges.prepared import prepared_by
from diptych.judges.text import transcription
from diptych.judges.text.spoken import end_tokens
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

JUDGE = "vision_language"
CHUNK = 8  # pictures that are held at once, as the model sees them
TOKENS_AT_ONCE = 8192  # of the questions that are read together, their pictures' among them
NEW_TOKENS = 64  # of an answer in its own words

Limit = Literal["min_pixels", "max_pixels", "max_new_tokens", "max_text_tokens"]


class PutQuestion(NamedTuple):
    """A question about a picture as the model takes it: arrays of the processor, and what its vision tower says."""

    given: Mapping[str, Any]
    seen: Any


@dataclass(frozen=True, eq=False)
class VisionLanguage:
    """One model, loaded on first use.

    Attributes:
        model: Where it is.
        system: What it is told before every question; empty for nothing.
        summation: How the probabilities of an answer's first tokens are added up.
        limits: Of the picture, of an answer in its own words and of a text that it reads.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    system: str
    summation: Summation
    limits: Mapping[Limit, int]
    precision: Precision
    device: str
    _firsts: dict[tuple[str, ...], list[list[int]]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, how a question is put, limits, summation, precision."""
        return {
            "judge": JUDGE,
            "version": 2,
            **self.model.facts,
            "prompt": self._prompt(ASKED),
            "choices_by": {"first_token": self.summation},
            "own_words": {"search": "greedy", "max_new_tokens": self._most_tokens},
            "reading": transcription.reading(self._most_of_a_text),
            "pixels": {name: self.limits.get(name) for name in ("min_pixels", "max_pixels")},
            "precision": self.precision,
        }

    @property
    def why_not_shared(self) -> str | None:
        """Why a picture is seen again with every question; None where it is seen once. Loads the model."""
        return why_not_shared(self._network)

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> list[list[Answer] | None]:
        """Return an answer to each question about each RGB image; None for one that the model cannot take.

        Raises:
            ConfigError: If choices cannot be told apart by their first tokens.
        """
        return self._answers(images, questions, self._most_tokens)

    def text(self, images: Sequence[Image]) -> list[list[TextLine] | None]:
        """Return the lines that the model reads in each RGB image; None for one that it cannot take."""
        return transcription.transcribed(partial(self._answers, most=self._most_of_a_text), images)

    @property
    def _most_tokens(self) -> int:
        return self.limits.get("max_new_tokens", NEW_TOKENS)

    @property
    def _most_of_a_text(self) -> int:
        return self.limits.get("max_text_tokens", transcription.NEW_TOKENS)

    def _answers(
        self, images: Sequence[Image], questions: Sequence[Sequence[Query]], most: int
    ) -> list[list[Answer] | None]:
        """Return the answers; in its own words of so many tokens at most."""
        import torch

        for query in dict.fromkeys(query for some in questions for query in some if query.choices):
            self._first_tokens(query)
        asked = [number for number, some in enumerate(questions) if some]
        told: dict[Asked, Answer] = {}
        judged: set[int] = set()
        with torch.inference_mode():
            for start in range(0, len(asked), CHUNK):
                prepared: dict[Asked, PutQuestion] = {}
                for number in asked[start : start + CHUNK]:
                    found = self._prepared(images[number], questions[number])
                    if found is not None:
                        judged.add(number)
                        prepared.update(zip(every_question([number], questions), found, strict=True))
                told.update(self._told(prepared, most))
        return in_order(told, judged, questions)

    def _prepared(self, image: Image, queries: Sequence[Query]) -> list[PutQuestion] | None:
        """Return the questions about one picture as the model takes them; None where it cannot take the picture."""
        self._processor.image_processor.forget()
        output, found = None, []
        for query in queries:
            prompt = self._prompt(query.text)
            put = {"text": prompt, **({"add_special_tokens": False} if begins_whole(self._processor, prompt) else {})}
            made = prepared_by(partial(self._processor, **put), image, f"judge {JUDGE!r}: {self.model.path}")
            if made is None:
                return None
            given = {name: value for name, value in made.items() if name != "labels"}
            if self.why_not_shared is None:
                output = seen(self._network, self._on_device(given)) if output is None else output
                given = {name: value for name, value in given.items() if not name.startswith(PIXELS)}
            found.append(PutQuestion(given, output))
        return found

    def _told(self, prepared: Mapping[Asked, PutQuestion], most: int) -> Iterator[tuple[Asked, Answer]]:
        """Yield the answer to each question."""
        longest = getattr(self._network.config.get_text_config(), "max_position_embeddings", None)
        alike: dict[tuple[int, bool], list[Asked]] = {}
        for one, (given, _) in prepared.items():
            length = int(given["input_ids"].shape[1])
            if longest is not None and length > longest:
                yield one, no_answer(one.query, TOO_LONG)
            else:
                alike.setdefault((length, bool(one.query.choices)), []).append(one)
        for (length, chooses), every in alike.items():
            joins = all(can_be_joined(prepared[one].seen) for one in every)
            together = max(1, TOKENS_AT_ONCE // length) if joins else 1
            for start in range(0, len(every), together):
                some = every[start : start + together]
                given = self._together([prepared[one] for one in some])
                said = self._chosen(some, given) if chooses else self._own_words(some, given, most)
                yield from zip(some, said, strict=True)

    def _together(self, some: Sequence[PutQuestion]) -> dict[str, Any]:
        """Return questions of one length as the arguments of the model."""
        import torch

        given = {name: torch.cat([one.given[name] for one in some]) for name in some[0].given}
        outputs = [one.seen for one in some]
        shared = {} if outputs[0] is None else {"mm_encoder_outputs": {"image": joined(outputs)}}
        return {**self._on_device(given), **shared}

    def _on_device(self, given: Mapping[str, Any]) -> dict[str, Any]:
        network = self._network
        return {
            name: value.to(network.device, network.dtype if value.is_floating_point() else None)
            for name, value in given.items()
        }

    def _chosen(self, some: Sequence[Asked], given: Mapping[str, Any]) -> Iterator[Answer]:
        logits = self._network(**given, use_cache=False, logits_to_keep=1).logits[:, -1]
        for one, likely in zip(some, logits.float().softmax(dim=-1).cpu(), strict=True):
            sums = [likely[each].double().sum().item() for each in self._first_tokens(one.query)]
            yield (chosen if self.summation == "official" else chosen_if_meant)(one.query, sums)

    def _own_words(self, some: Sequence[Asked], given: Mapping[str, Any], most: int) -> Iterator[Answer]:
        network = self._network
        said = network.generate(**given, max_new_tokens=most, do_sample=False, num_beams=1)
        ends = end_tokens(network)
        for one, ids in zip(some, said[:, given["input_ids"].shape[1] :].tolist(), strict=True):
            text = self._processor.tokenizer.decode(ids, skip_special_tokens=True)
            yield Answer(one.query.text, (), (), str(text).strip(), is_cut=ends.isdisjoint(ids))

    def _first_tokens(self, query: Query) -> list[list[int]]:
        if query.choices not in self._firsts:
            tokenizer = self._processor.tokenizer
            self._firsts[query.choices] = first_tokens(tokenizer, query.choices, self.summation, f"judge {JUDGE!r}")
        return self._firsts[query.choices]

    def _prompt(self, question: str) -> str:
        return prompt_of(self._processor, question, self.system, f"judge {JUDGE!r}: {self.model.path}")

    @cached_property
    def _processor(self) -> Any:
        processor = self.model.processor("AutoProcessor")
        pictures = processor.image_processor
        ends = {"min_pixels": "shortest_edge", "max_pixels": "longest_edge"}
        given = {ends[name]: value for name, value in self.limits.items() if name in ends}
        if given and "min_pixels" not in pictures.valid_kwargs.__annotations__:
            raise ConfigError(
                f"judge {JUDGE!r}: limits: {type(pictures).__name__} of {self.model.path} has no limits of pixels; "
                f"leave out {' and '.join(name for name in self.limits if name in ends)}"
            )
        pictures.size = {**dict(pictures.size), **given} if given else pictures.size
        processor.image_processor = PreparesOnce(pictures)
        return processor

    @cached_property
    def _network(self) -> Any:
        return self.model.load("AutoModelForImageTextToText", self.precision, self.device)


def vision_language(
    *,
    weights: Annotated[str, SuchAs("Qwen/Qwen3-VL-8B-Instruct")],
    system: str = "",
    summation: Summation = "distinct",
    limits: dict[Limit, int] | None = None,
    precision: Precision = "fp32",
    device: str = "auto",
) -> VisionLanguage:
    """Return a judge that answers; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as ``Qwen/Qwen3-VL-8B-Instruct``, with
            ``@REVISION`` behind it where it is to be a certain one.
        system: What it is told before every question.
        summation: How the probabilities of an answer's first tokens are added up.
        limits: ``min_pixels`` and ``max_pixels`` of a prepared picture, where the model has such limits;
            ``max_new_tokens`` of an answer in its own words, 64 if not given; ``max_text_tokens`` of a text that it
            reads, 1,024 if not given.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model or a limit is below 1; on first use, if there is no such device, or the
            model has no such limit.
        DataError: If the model cannot be fetched; on first use, if its weights or its processor do not load.
    """
    for name, value in (limits or {}).items():
        if value < 1:
            raise ConfigError(f"judge {JUDGE!r}: limits: {name} is at least 1, not {value}")
    model = find_pretrained(weights, f"judge {JUDGE!r}: weights")
    return VisionLanguage(model, system, summation, limits or {}, precision, device)
