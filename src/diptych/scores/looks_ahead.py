"""What a judge cannot be asked for is found before it looks at the first picture, and not at the thousandth prompt."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from diptych.addresses import Address
from diptych.data.shards import read_shard, reading
from diptych.errors import DataError
from diptych.lookup import describe_unknown
from diptych.scores.looks import Look


@dataclass
class ShardRows:
    """The rows of a shard but for their pictures, a column at a time, as it is asked for.

    Attributes:
        file: The shard.
        captions: By row.
    """

    file: Address
    captions: list[str | None]

    @classmethod
    def of(cls, file: Address) -> "ShardRows":
        """Return the rows of a shard."""
        return cls(file, read_shard(file, ["caption"]).column("caption").to_pylist())

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.captions)

    def column(self, name: str) -> list[Any]:
        """Return a column of the data as Python values, None where null.

        Raises:
            DataError: If the data has no such column.
        """
        if name not in self._names:
            raise DataError(describe_unknown("column", name, self._names))
        return list(read_shard(self.file, [name]).column(name).to_pylist())

    @cached_property
    def _names(self) -> list[str]:
        with reading(self.file) as parquet:
            return list(parquet.schema_arrow.names)


def check_asked(look: Look[Any], files: Iterable[Address]) -> None:
    """Check that a judge that looks for any label can be asked for those of some shards; others are asked nothing.

    Raises:
        ConfigError: If it cannot, see ``diptych.judges.contract.BoxJudge``.
        DataError: If the data lacks a column that says what to ask.
    """
    check = getattr(look.judge, "check_labels", None)
    if check is None or look.ask is None:
        return
    known: set[str] = set()
    for file in files:
        new = {label for labels in look.ask.of(ShardRows.of(file)) for label in labels} - known
        check(sorted(new))
        known |= new
