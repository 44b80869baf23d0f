"""What an encoder-decoder of transformers says of pictures, token by token, and how sure it is of each.

It says the likeliest token each time (greedy search), also where its configuration asks for several beams: no chance
decides, and no neighbour in a batch.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Spoken(NamedTuple):
    """A token, and the logarithm of its probability, at most 0."""

    token: int
    log_probability: float


class Utterance(NamedTuple):
    """What a network says of one picture, without the tokens that begin, end and fill; and whether it was cut off."""

    tokens: list[Spoken]
    is_cut: bool


def spoken_of(network: Any, given: Mapping[str, Any], most_tokens: int) -> list[Utterance]:
    """Return what a network says of each of some pictures.

    Args:
        network: Of transformers, with ``generate``.
        given: Its arguments, on its device, of pictures of one shape.
        most_tokens: After which it is cut off.
    """
    output = network.generate(
        **given,
        do_sample=False,
        num_beams=1,
        max_new_tokens=most_tokens,
        return_dict_in_generate=True,
        output_scores=True,
    )
    said = output.sequences[:, -len(output.scores) :]
    logs = [scores.float().log_softmax(dim=-1) for scores in output.scores]
    columns = [log.gather(1, said[:, step, None])[:, 0].tolist() for step, log in enumerate(logs)]
    return [
        _until_the_end(network, row, told) for row, told in zip(said.tolist(), zip(*columns, strict=True), strict=True)
    ]


def confidence(said: Iterable[Spoken]) -> float:
    """Return how sure a network is of some tokens, in [0, 1]: the geometric mean of their probabilities.

    >>> round(confidence([Spoken(7, math.log(0.5)), Spoken(8, math.log(0.125))]), 3)
    0.25
    """
    logs = [one.log_probability for one in said]
    return math.exp(min(math.fsum(logs) / len(logs), 0.0)) if logs else 1.0


def end_tokens(network: Any) -> frozenset[int]:
    """Return the tokens with which a network of transformers says that it has said all."""
    ends = network.generation_config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else () if ends is None else (ends,))


def _until_the_end(network: Any, tokens: Iterable[int], logs: Iterable[float]) -> Utterance:
    config = network.generation_config
    ends = end_tokens(network)
    kept: list[Spoken] = []
    for token, log in zip(tokens, logs, strict=True):
        if token in ends:
            return Utterance(kept, is_cut=False)
        if token not in (config.bos_token_id, config.decoder_start_token_id, config.pad_token_id):
            kept.append(Spoken(token, log))
    return Utterance(kept, is_cut=True)
