"""Evidence: what a judge saw, as it is stored beside the scores, one list of records per row of the data.

Numbers are kept to the last bit, so that a rule gives the same whether the judge has just looked or looked last year.
Decides nothing about who is asked what.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple

import pyarrow as pa

from diptych.config.identity import short_id
from diptych.data.shards import read_shard
from diptych.judges.contract import Answer, Box, Corners, Rating, Record, TextLine, Trait
from diptych.judges.thoughts import whole_answer
from diptych.storage.location import Location

# What the identity of a rule over boxes calls its lines: how sure a judge has to be, and to count exactly.
THRESHOLD, COUNTING_THRESHOLD = "threshold", "counting_threshold"

JUDGE_FAILED = "judge_failed"  # the reason of a picture that the judge could not take

CORNERS = ("left", "top", "right", "bottom")
_PLACE = {name: pa.float64() for name in CORNERS}
_TRAIT = pa.struct({"name": pa.string(), "value": pa.string(), "probability": pa.float64()})
_BOX = pa.struct(
    {
        "label": pa.string(),
        "score": pa.float64(),
        **_PLACE,
        "traits": pa.list_(_TRAIT),
        "mask": pa.list_(pa.uint32()),
    }
)
_ANSWER = pa.struct(
    {
        "question": pa.string(),
        "choices": pa.list_(pa.string()),
        "probabilities": pa.list_(pa.float64()),
        "text": pa.string(),
        "state": pa.string(),
        "is_cut": pa.bool_(),
        "words": pa.string(),
    }
)
_RATING = pa.struct({"value": pa.float64(), "rater": pa.string(), "note": pa.string()})
_TEXT_LINE = pa.struct({"text": pa.string(), "confidence": pa.float64(), **_PLACE, "is_cut": pa.bool_()})


@dataclass(frozen=True)
class EvidenceKind(Generic[Record]):
    """What one of a judge's abilities gives.

    Attributes:
        name: Of the ability: the judge's method, and the column on disk.
        type: Of one record on disk.
        pack: From a record to the values of ``type``.
        unpack: And back.
        as_read: What rules see of a record; None where they see it as it is.
    """

    name: str
    type: pa.StructType
    pack: Callable[[Record], Mapping[str, Any]]
    unpack: Callable[[Mapping[str, Any]], Record]
    as_read: Callable[[Record], Record] | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of a shard: key, the list of records, and why there is none where nothing was looked at."""
        records = pa.field(self.name, pa.list_(self.type))
        return pa.schema([pa.field("key", pa.string()), records, pa.field("reason", pa.string())])


class Seen(NamedTuple, Generic[Record]):
    """What a judge saw in some rows.

    Attributes:
        records: Of each row; None where nothing was looked at.
        reasons: Why nothing was, None where something was.
    """

    records: list[list[Record] | None]
    reasons: list[str | None]


def evidence_name(identity: Mapping[str, Any]) -> str:
    """Return what evidence is called, ``<judge>-<id>``.

    Args:
        identity: ``judge`` (its identity), ``evidence`` (the kind) and ``asked``: that of the evidence, or of a score
            that is a rule over it.
    """
    own = {name: identity[name] for name in ("judge", "evidence", "asked")}
    return f"{identity['judge']['judge']}-{short_id(own)}"


def evidence_table(kind: EvidenceKind[Record], keys: Sequence[str], seen: Seen[Record]) -> pa.Table:
    """Return what was seen as it is stored, null where nothing was looked at."""
    packed = [None if some is None else [kind.pack(one) for one in some] for some in seen.records]
    columns = {"key": list(keys), kind.name: packed, "reason": seen.reasons}
    return pa.table(columns, schema=kind.schema)


def seen_in(kind: EvidenceKind[Record], table: pa.Table) -> Seen[Record]:
    """Return what a stored table says was seen."""
    stored = table[kind.name].to_pylist()
    records = [None if some is None else [kind.unpack(one) for one in some] for some in stored]
    return Seen(records, table["reason"].to_pylist())


def as_read(kind: EvidenceKind[Record], seen: Seen[Record]) -> list[list[Record] | None]:
    """Return what rules see of the records of each row."""
    read = kind.as_read
    return seen.records if read is None else [None if some is None else list(map(read, some)) for some in seen.records]


def read_evidence(kind: EvidenceKind[Record], place: Location) -> Seen[Record]:
    """Return what a shard of evidence says was seen.

    Raises:
        ShardError: If the shard is damaged.
    """
    return seen_in(kind, read_shard(place, [kind.name, "reason"]))


def _place(corners: Corners) -> dict[str, float]:
    return dict(zip(CORNERS, corners, strict=True))


def _corners(stored: Mapping[str, Any]) -> Corners:
    return (stored["left"], stored["top"], stored["right"], stored["bottom"])


def _pack_box(box: Box) -> Mapping[str, Any]:
    traits = [vars(trait) for trait in box.traits]
    return {"label": box.label, "score": box.score, **_place(box.corners), "traits": traits, "mask": box.mask}


def _unpack_box(stored: Mapping[str, Any]) -> Box:
    traits = tuple(Trait(**trait) for trait in stored["traits"])
    mask = None if stored["mask"] is None else tuple(stored["mask"])
    return Box(stored["label"], stored["score"], _corners(stored), traits, mask)


def _unpack_answer(stored: Mapping[str, Any]) -> Answer:
    return Answer(**{**stored, "choices": tuple(stored["choices"]), "probabilities": tuple(stored["probabilities"])})


def _unpack_rating(stored: Mapping[str, Any]) -> Rating:
    return Rating(**stored)


def _pack_text_line(line: TextLine) -> Mapping[str, Any]:
    place = _place(line.corners)
    return {"text": line.text, "confidence": line.confidence, **place, "is_cut": line.is_cut}


def _unpack_text_line(stored: Mapping[str, Any]) -> TextLine:
    return TextLine(stored["text"], stored["confidence"], _corners(stored), stored["is_cut"])


BOXES = EvidenceKind("boxes", _BOX, _pack_box, _unpack_box)
ANSWERS = EvidenceKind("answers", _ANSWER, vars, _unpack_answer, whole_answer)
RATINGS = EvidenceKind("ratings", _RATING, vars, _unpack_rating)
TEXT = EvidenceKind("text", _TEXT_LINE, _pack_text_line, _unpack_text_line)

# By name. To add one: its record and protocol in the contract, an ``EvidenceKind`` here, a test.
KINDS: Mapping[str, EvidenceKind[Any]] = {kind.name: kind for kind in (ANSWERS, BOXES, RATINGS, TEXT)}
