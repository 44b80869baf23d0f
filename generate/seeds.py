"""Which seed an image has: the same on every machine, for every model and every setting.

It follows from what is asked for and not from who asks: not from the name of a prompt set, the id of a prompt or its
place. So a line on top, another order or another name changes no image, and two sets share the images of a prompt that
both have. Equal prompts of one set are told apart by which of them it is.
"""

import hashlib
import json
from collections.abc import Sequence


def seed_of(
    base: int, text: str, negative: str | None, *, images: Sequence[str] = (), ordinal: int = 0, sample: int = 0
) -> int:
    """Return the seed of an image, 63 bits.

    Args:
        base: Of the run.
        text: Of the prompt.
        negative: The prompt's own negative prompt; None is none, which is not the empty one.
        images: Names of its input images.
        ordinal: Which of equal prompts of one set it is, from 0.
        sample: Of the prompt, from 0.

    >>> seed_of(0, "a photo of a bench", None)
    2107451589845841179
    """
    value = [base, text, negative, list(images), ordinal, sample]
    data = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1
