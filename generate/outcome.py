"""How the images of a run came out: counted over all of its rows, whichever run made them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from diptych.data.dataset import Dataset
from diptych.data.row_states import ONE_COLOURED
from diptych.data.shards import read_shard
from diptych.generate.readings import Refused
from diptych.generate.rows import FAILED, OK
from diptych.progress.wording import quantity

COLUMNS = ("model", "setting", "status", "error")


class Fared(NamedTuple):
    """Rows of one model and setting that are no pictures, or pictures of one colour, with what is said of the first."""

    model: str
    setting: str
    status: str
    rows: int
    error: str


class RunOutcome(NamedTuple):
    """How the rows of a dataset came out.

    Attributes:
        statuses: Rows by status.
        one_coloured: Rows whose picture is of one colour.
        unlike: The rows that are no pictures or of one colour, by model, setting and status.
    """

    statuses: Mapping[str, int]
    one_coloured: int
    unlike: Sequence[Fared]

    @property
    def has_failed(self) -> bool:
        """Whether an image could not be made."""
        return self.statuses.get(FAILED, 0) > 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        unlike = [one._asdict() for one in self.unlike]
        return {"statuses": dict(self.statuses), "one_coloured": self.one_coloured, "unlike": unlike}


NOTHING = RunOutcome({}, 0, ())


def outcome_of(dataset: Dataset) -> RunOutcome:
    """Return how the rows of a finished dataset came out."""
    statuses: Counter[str] = Counter()
    unlike: Counter[tuple[str, str, str]] = Counter()
    errors: dict[tuple[str, str, str], str] = {}
    for file in dataset.files:
        table = read_shard(file, list(COLUMNS))
        statuses.update(table["status"].to_pylist())
        for row in table.filter(table["error"].is_valid()).to_pylist():
            status = ONE_COLOURED if row["status"] == OK else row["status"]
            place = (row["model"], row["setting"], status)
            unlike[place] += 1
            errors.setdefault(place, row["error"])
    found = [Fared(*place, rows, errors[place]) for place, rows in unlike.items()]
    return RunOutcome(dict(statuses), sum(one.rows for one in found if one.status == ONE_COLOURED), found)


def problem(outcome: RunOutcome, refused: Sequence[Refused]) -> str:
    """Return in one line what came out otherwise than asked for; empty where all is well.

    >>> problem(RunOutcome({"ok": 7, "failed": 1}, 2, []), [Refused("sd", "", "is cut")])
    '1 of 8 rows have no picture (failed: 1); 2 pictures of one colour; 1 model or setting was refused'
    """
    without = {status: rows for status, rows in outcome.statuses.items() if status != OK}
    said = []
    if without:
        named = ", ".join(f"{status}: {rows:,}" for status, rows in sorted(without.items()))
        said.append(f"{sum(without.values()):,} of {sum(outcome.statuses.values()):,} rows have no picture ({named})")
    if outcome.one_coloured:
        said.append(f"{quantity(outcome.one_coloured, 'picture')} of one colour")
    if refused:
        many = f"{len(refused):,} models or settings were refused"
        said.append(many if len(refused) > 1 else "1 model or setting was refused")
    return "; ".join(said)
