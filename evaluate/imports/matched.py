"""What came of holding records against a dataset: what is about which row, what is left out, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from diptych.evaluate.imports.contract import EvidenceRecord
from diptych.judges.contract import Box
from diptych.progress.wording import quantity

SHOWN = 3  # places, and ids, that a line names
ONE_OF = {"images": "image", "boxes": "box", "records": "record"}


@dataclass
class Misfit:
    """What is left out for one reason.

    Attributes:
        records: In order, one or more.
        says: What the first ones say and the dataset has, in words; empty where the reason tells it.
    """

    records: list[EvidenceRecord]
    says: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind there are."""
        return dict(Counter(_kind(record) for record in self.records))

    @property
    def words(self) -> tuple[str, str]:
        """How many there are, and where and what the first ones are."""
        first = self.records[0].place
        of_file = [one.place for one in self.records if one.place.file == first.file and one.place.noun == first.noun]
        numbers = ", ".join(str(place.number) for place in of_file[:SHOWN])
        more = ", ..." if len(of_file) > SHOWN else ""
        is_one_file = all(one.place.file == first.file for one in self.records)
        more += "" if is_one_file else f" of {first.file}, and of other files"
        counted = " and ".join(
            f"{count:,} {kind if count != 1 else ONE_OF[kind]}" for kind, count in self.counts.items()
        )
        return counted, f"({first.noun} {numbers}{more}){f': {self.says}' if self.says else ''}"


@dataclass
class Matched:
    """What was found.

    Attributes:
        records: By row, in the order of the file.
        repeated: Records that say again what another one says.
        misfits: Why records fit nothing -> which.
        other_models: Models that the dataset does not have -> number of records.
        read: Records of the models of the dataset, without those of images that are listed alone.
    """

    records: dict[int, list[EvidenceRecord]] = field(default_factory=dict)
    repeated: int = 0
    misfits: dict[str, Misfit] = field(default_factory=dict)
    other_models: Counter[str] = field(default_factory=Counter)
    read: int = 0

    def leave_out(self, record: EvidenceRecord, why: str, says: str = "") -> None:
        """Count a record that fits nothing; what the first one for a reason says is kept."""
        self.misfits.setdefault(why, Misfit([], says)).records.append(record)

    @property
    def left_out(self) -> int:
        """How many of the records that were read are left out."""
        return sum(not record.is_listing for misfit in self.misfits.values() for record in misfit.records)

    def lines(self) -> Iterator[str]:
        """Yield what fits nothing, in words."""
        for why, misfit in self.misfits.items():
            counted, places = misfit.words
            yield f"{counted}: {why} {places}"
        for name, count in self.other_models.items():
            yield f"{quantity(count, 'record')}: no model {name!r} in the dataset"


def first_of(words: Iterable[str | int | None]) -> str:
    """Return the first different ones of some words; "none" where there are none.

    >>> first_of(["a", None, "a", "b", 3, 4])
    "'a', 'b', 3, ..."
    """
    different = list(dict.fromkeys(word for word in words if word is not None))
    return (", ".join(map(repr, different[:SHOWN])) or "none") + (", ..." if len(different) > SHOWN else "")


def _kind(record: EvidenceRecord) -> str:
    return "images" if record.is_listing else "boxes" if isinstance(record.said, Box) else "records"
