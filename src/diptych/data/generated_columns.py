"""The columns of a generated image, beside THE columns of ``data``: who was asked for what, and how.

What ``generate`` writes and what ``evaluate`` and ``reports`` read by name.
"""

import json

import pyarrow as pa

from diptych.data.shards import data_schema

GENERATED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("benchmark", pa.string()),  # label of the prompt set
    pa.field("prompt_id", pa.string()),  # within the benchmark
    pa.field("category", pa.string()),
    pa.field("expected", pa.string()),  # JSON; what a detector should find; empty where it is not known
    pa.field("model", pa.string()),
    pa.field("setting", pa.string()),
    pa.field("seed", pa.int64()),
    pa.field("sample", pa.int32()),  # from 0, of one prompt
    pa.field("sampler", pa.string()),
    pa.field("steps", pa.int32()),
    pa.field("guidance", pa.float32()),
    pa.field("negative_prompt", pa.string()),
)
GENERATED_SCHEMA = data_schema(GENERATED_FIELDS)
ATTRIBUTE_CLASS = "attribute_class"  # the score column of the class that is seen, beside ``asked_class``


def asked_class(expected: str | None) -> str | None:
    """Return the class of the first object that a prompt asks for; None where nobody knows.

    >>> asked_class('{"include": [{"class": "doctor", "count": 1}]}'), asked_class("")
    ('doctor', None)
    """
    try:
        return str(json.loads(expected or "")["include"][0]["class"])
    except (ValueError, LookupError, TypeError):
        return None
