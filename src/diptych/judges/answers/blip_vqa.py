"""BLIP-VQA: a network trained to answer questions (Li et al. 2022, arXiv 2201.12086), as T2I-CompBench asks it.

How likely a choice is, ``choices_by`` says. ``first_token`` is T2I-CompBench's ``vqa_prob``, of its file
BLIPvqa_eval/models/blip_vqa.py at 7710d05: the probability, over the whole vocabulary, that an answer begins with the
first token of the choice. What CompBench calls P("yes") is a rule over two of them, yes / (yes + no), each question
with the choices yes and no. ``answer`` is BLIP's own ranking: the probability of all tokens of the answer and of its
end. BLIP takes it from a training loss with smoothed labels; this is the probability itself. With no choices the
network answers in its own words, greedily (BLIP searches with three beams).

A question is put as BLIP puts it: lower case, without ``. ! " ( ) * # : ; ~``, its first token [ENC]; transformers' own
example leaves [CLS] there, which ``question_start: cls`` does too and which gives other numbers. BLIP cuts a question
after 35 tokens; here it has no answer and the state ``too_long``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError
from diptych.judges.answers.asked import Asked, chosen, every_question, in_order, no_answer
from diptych.judges.contract import TOO_LONG, Answer, Query
from diptych.judges.prepared import groups_of_one_shape, prepared_by
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

JUDGE = "blip_vqa"
CHUNK = 8  # pictures that the network sees at once
ASKED_AT_ONCE = 64  # questions, or answers to one, that it reads at once
MOST_TOKENS = 35  # of a question, with its first and last
NEW_TOKENS = 20  # of an answer in its own words; transformers' default length
UNASKED = re.compile(r"([.!\"()*#:;~])")  # pre_question of BLIP, data/utils.py

ChoicesBy = Literal["first_token", "answer"]
QuestionStart = Literal["enc", "cls"]


@dataclass(frozen=True, eq=False)
class BlipVqa:
    """One network, loaded on first use.

    Attributes:
        model: Where it is.
        choices_by: What the probability of a choice is that of.
        question_start: The first token of a question.
        max_new_tokens: Of an answer in its own words.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    model: PretrainedFolder
    choices_by: ChoicesBy
    question_start: QuestionStart
    max_new_tokens: int
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, how it is asked and how likely a choice is, precision."""
        return {
            "judge": JUDGE,
            "version": 1,
            **self.model.facts,
            "choices_by": self.choices_by,
            "question_start": self.question_start,
            "own_words": {"search": "greedy", "max_new_tokens": self.max_new_tokens},
            "precision": self.precision,
        }

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> list[list[Answer] | None]:
        """Return an answer to each question about each RGB image; None for one that the network cannot take.

        Raises:
            ConfigError: If choices cannot be told apart by their first token.
        """
        import torch

        shown = [number for number, some in enumerate(questions) if some]
        where = f"judge {JUDGE!r}: {self.model.path}"
        given = {number: prepared_by(self._pictures, images[number], where) for number in shown}
        pixels = {number: one["pixel_values"] for number, one in given.items() if one is not None}
        told: dict[Asked, Answer] = {}
        with torch.inference_mode():
            for numbers in groups_of_one_shape(pixels, CHUNK):
                batch = torch.cat([pixels[number] for number in numbers])
                network = self._network
                seen = network.vision_model(batch.to(network.device, network.dtype)).last_hidden_state
                told.update(self._told(dict(zip(numbers, seen, strict=True)), every_question(numbers, questions)))
        return in_order(told, pixels, questions)

    def _told(self, seen: Mapping[int, Any], asked: Sequence[Asked]) -> Iterator[tuple[Asked, Answer]]:
        """Yield the answer to each question.

        Args:
            seen: Each picture as the network sees it, tensor (patches + 1, width).
            asked: The questions about them.
        """
        import torch

        tokens = {number: self._question_tokens(one.query.text) for number, one in enumerate(asked)}
        for number in [number for number, one in tokens.items() if one.shape[-1] > MOST_TOKENS]:
            del tokens[number]
            yield asked[number], no_answer(asked[number].query, TOO_LONG)
        for numbers in groups_of_one_shape(tokens, ASKED_AT_ONCE):
            some = [asked[number] for number in numbers]
            states = self._network.text_encoder(
                torch.stack([tokens[number] for number in numbers]).to(self._network.device),
                encoder_hidden_states=torch.stack([seen[one.image] for one in some]),
            ).last_hidden_state
            first = self._decoded([[self._start]] * len(some), states)[:, 0].softmax(dim=-1)
            for one, state, likely in zip(some, states, first, strict=True):
                yield one, self._answer(one.query, state[None], likely)

    def _answer(self, query: Query, state: Any, first: Any) -> Answer:
        """Return the answer to a question that the network has read.

        Args:
            query: The question.
            state: The question and its picture, tensor (1, tokens, width).
            first: The probability of each token to be the first of an answer, tensor float32 (vocabulary,).
        """
        if not query.choices:
            return self._own_words(query, state)
        ids = [self._answer_tokens(choice) for choice in query.choices]
        if self.choices_by == "answer":
            return chosen(query, [self._whole_answer(one, state) for one in ids])
        owners: dict[int, str] = {}
        for choice, one in zip(query.choices, ids, strict=True):
            if (owner := owners.setdefault(one[1], choice)) != choice:
                raise ConfigError(
                    f"judge {JUDGE!r}: {owner!r} and {choice!r} begin with one token, and so cannot be told apart; "
                    f"say choices_by: answer"
                )
        return chosen(query, [first[one[1]].item() for one in ids])

    def _own_words(self, query: Query, state: Any) -> Answer:
        end = self._tokenizer.sep_token_id
        said = self._network.text_decoder.generate(
            input_ids=self._tensor([[self._start]]),
            encoder_hidden_states=state,
            eos_token_id=end,
            pad_token_id=self._tokenizer.pad_token_id,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
        )
        text = str(self._tokenizer.decode(said[0], skip_special_tokens=True)).strip()
        return Answer(query.text, (), (), text, is_cut=end not in said[0].tolist())

    def _whole_answer(self, ids: Sequence[int], state: Any) -> float:
        """Return the probability of the tokens of an answer after the first, its end among them."""
        import torch

        said = self._decoded([ids], state)[0, :-1].log_softmax(dim=-1)
        each = said.gather(1, torch.tensor(ids[1:], device=said.device)[:, None])
        return float(each.double().sum().exp())

    def _decoded(self, ids: Sequence[Sequence[int]], states: Any) -> Any:
        """Return the logits after each token of some answers, tensor float32 (answers, tokens, vocabulary)."""
        return self._network.text_decoder(input_ids=self._tensor(ids), encoder_hidden_states=states).logits.float()

    def _tensor(self, ids: Sequence[Sequence[int]]) -> Any:
        import torch

        return torch.tensor(ids, device=self._network.device)

    def _question_tokens(self, text: str) -> Any:
        import torch

        ids = list(self._tokenizer(as_blip_asks(text)).input_ids)
        return torch.tensor([self._start + 1, *ids[1:]] if self.question_start == "enc" else ids)

    def _answer_tokens(self, choice: str) -> list[int]:
        return [self._start, *self._tokenizer(choice).input_ids[1:]]

    @cached_property
    def _start(self) -> int:
        """The token [DEC] with which an answer begins; [ENC] is the one after it (BLIP's ``init_tokenizer``)."""
        return int(self._network.config.text_config.bos_token_id)

    @cached_property
    def _tokenizer(self) -> Any:
        return self.model.processor("AutoTokenizer")

    @cached_property
    def _pictures(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _network(self) -> Any:
        network = self.model.load("BlipForQuestionAnswering", self.precision, self.device)
        text = network.config.text_config
        if self.question_start == "enc" and text.bos_token_id + 1 >= text.vocab_size:
            raise ConfigError(f"judge {JUDGE!r}: {self.model.path} has no token [ENC]; say question_start: cls")
        return network


def as_blip_asks(text: str) -> str:
    """Return a question as BLIP puts it.

    >>> as_blip_asks("A Cat (black)?")
    'a cat black?'
    """
    return UNASKED.sub("", text.lower()).rstrip(" ")


def blip_vqa(
    *,
    weights: Annotated[str, SuchAs("Salesforce/blip-vqa-capfilt-large")],
    choices_by: ChoicesBy = "first_token",
    question_start: QuestionStart = "enc",
    max_new_tokens: int = NEW_TOKENS,
    precision: Precision = "fp32",
    device: str = "auto",
) -> BlipVqa:
    """Return a judge that answers; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a ``BlipForQuestionAnswering`` of transformers, or its name on the hub, such as
            ``Salesforce/blip-vqa-capfilt-large``, with ``@REVISION`` behind it where it is to be a certain one.
        choices_by: What the probability of a choice is that of: the first token of an answer, or the whole of it.
        question_start: The first token of a question: ``enc`` as in BLIP, ``cls`` as in transformers' example.
        max_new_tokens: Of an answer in its own words, at least 1.
        precision: Of weights and activations.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model, or ``max_new_tokens`` is below 1; on first use, if there is no such
            device.
        DataError: If the model cannot be fetched; on first use, if its weights do not load.
    """
    if max_new_tokens < 1:
        raise ConfigError(f"judge {JUDGE!r}: max_new_tokens is at least 1, not {max_new_tokens}")
    model = find_pretrained(weights, f"judge {JUDGE!r}: weights")
    return BlipVqa(model, choices_by, question_start, max_new_tokens, precision, device)
