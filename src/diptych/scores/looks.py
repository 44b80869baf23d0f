"""What scores ask of judges: who is to look, for what, and what is asked of each row.

A look names the evidence that it gives: scores that ask the same of the same judge share it, in memory and on disk.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol

from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.judges.contract import Found, Judge, Record
from diptych.judges.evidence import BOXES, KINDS, EvidenceKind, evidence_name

NAME = re.compile(r"[a-z][a-z0-9_]*")


class AskedRows(Protocol):
    """What of a batch may be looked at to know what is asked of its rows: everything but the pictures."""

    captions: list[str | None]

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def column(self, name: str) -> list[Any]:
        """Return a column of the data as Python values, None where null."""
        ...


class Ask(Protocol):
    """What is asked of each row: the labels to look for, or the questions to answer."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """JSON-able facts that change what is asked: the column that it is read from, how it is read."""
        ...

    def of(self, rows: AskedRows) -> list[Sequence[Any]]:
        """Return what is asked of each row; nothing where a row asks for nothing."""
        ...


@dataclass(frozen=True, eq=False)
class Look(Generic[Record]):
    """What one judge is asked for; see ``look_with``.

    Attributes:
        judge: Who looks.
        kind: What it is asked for.
        ask: What is asked of each row; None where there is nothing to ask.
    """

    judge: Judge
    kind: EvidenceKind[Record]
    ask: Ask | None = None

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The judge's identity, what it is asked for, what is asked of each row."""
        asked = None if self.ask is None else dict(self.ask.identity)
        return {"judge": dict(self.judge.identity), "evidence": self.kind.name, "asked": asked}

    @cached_property
    def name(self) -> str:
        """The name of the evidence that it gives, ``<judge>-<id>``."""
        return evidence_name(self.identity)

    @property
    def encoder(self) -> Encoder | None:
        """The encoder whose vectors the judge looks at in the place of images, if it is such a one."""
        encoder: Encoder | None = getattr(self.judge, "encoder", None)
        return encoder

    def at(self, pictures: Sequence[Any], asked: Sequence[Sequence[Any]] | None) -> Found[Record]:
        """Return what the judge sees in some pictures; None for one that it cannot take.

        Args:
            pictures: RGB images, or vectors of its encoder.
            asked: What is asked of each, where there is something to ask.
        """
        look = getattr(self.judge, self.kind.name)
        seen: Found[Record] = look(pictures) if asked is None else look(pictures, asked)
        return seen


def look_with(judge: Judge, kind: EvidenceKind[Record], ask: Ask | None = None) -> Look[Record]:
    """Return a look with a judge that can do it.

    Raises:
        ConfigError: If the judge cannot, or not without being asked for something, or has no name that a directory can
            have.
    """
    name = judge.identity.get("judge")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"a judge has its name in its identity, as 'judge', of a-z, 0-9 and _; there is {name!r}")
    if not hasattr(judge, kind.name):
        can = ", ".join(other for other in KINDS if hasattr(judge, other)) or "nothing"
        raise ConfigError(f"judge {name!r} gives no {kind.name}; it gives {can}: name another one")
    if ask is None and looks_for_any(judge):
        raise ConfigError(
            f"judge {name!r} finds what it is asked for, and this score asks for nothing; name one of a closed list of "
            f"classes"
        )
    return Look(judge, kind, ask)


def looks_for_any(judge: Judge) -> bool:
    """Return whether a judge finds boxes of any label, so that it has to be told which."""
    return hasattr(judge, BOXES.name) and getattr(judge, "labels", ()) is None
