"""Which seed an image has: the same on every machine, for every model and every setting."""

import hashlib
import json


def seed_of(base: int, prompt_set: str, prompt_id: str, sample: int) -> int:
    """Return the seed of an image, 63 bits: the same for all models and settings, another for each prompt and sample.

    >>> seed_of(0, "geneval", "00000", 0)
    4729543926480900805
    """
    text = json.dumps([base, prompt_set, prompt_id, sample], ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
