"""Parts of the shards of a job: whoever does one does its shards into the same place as the others do theirs.

So an array of a queue, or several shells, share a job without an engine. Which shards belong to a part follows from
their numbers alone, so that a part that was killed is done again by the same command. Decides nothing about a shard.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from diptych.errors import ConfigError

PART = re.compile(r"([0-9]+)/([0-9]+)")


class JobPart(NamedTuple):
    """One of several parts.

    Attributes:
        number: From 1 on.
        of: How many there are.
    """

    number: int
    of: int

    @property
    def is_whole(self) -> bool:
        """Whether it is everything."""
        return self.of == 1

    def takes(self, shard: int) -> bool:
        """Return whether a shard belongs to it, by its number.

        >>> [number for number in range(7) if JobPart(2, 3).takes(number)]
        [1, 4]
        """
        return shard % self.of == self.number - 1

    def in_turn(self, count: int) -> list[int]:
        """Return the numbers of things that every part looks at, beginning where no other part does.

        So each finds of most of them what another has remembered, where they share a place for that.

        >>> JobPart(2, 3).in_turn(6), JobPart(1, 1).in_turn(3)
        ([2, 3, 4, 5, 0, 1], [0, 1, 2])
        """
        first = (self.number - 1) * count // self.of
        return [*range(first, count), *range(first)]

    def __str__(self) -> str:
        """Return it as it is given."""
        return f"{self.number}/{self.of}"


WHOLE_JOB = JobPart(1, 1)


class PartOutcome(NamedTuple):
    """What a part of a job did.

    Attributes:
        made: Shards that were made.
        own: Shards that belong to the part.
        finished: Shards of the job that are there, whoever made them.
        shards: Shards of the job.
    """

    made: int
    own: int
    finished: int
    shards: int

    @classmethod
    def nothing_left(cls, part: JobPart, numbers: Sequence[int]) -> "PartOutcome":
        """Return that of a part of a finished job, by the numbers of its shards.

        >>> PartOutcome.nothing_left(JobPart(1, 2), range(5))
        PartOutcome(made=0, own=3, finished=5, shards=5)
        """
        return cls(0, sum(map(part.takes, numbers)), len(numbers), len(numbers))

    def told(self, part: JobPart, what: str) -> str:
        """Return it in one line.

        >>> PartOutcome(4, 5, 9, 16).told(JobPart(3, 4), "ingest")
        'ingest, part 3/4: made 4 of its 5 shards, the others were there; 9 of all 16 are there'
        """
        others = ", the others were there" if self.made < self.own else ""
        return f"{what}, part {part}: made {self.made:,} of its {self.own:,} shards{others}; " + (
            f"{self.finished:,} of all {self.shards:,} are there"
            if self.finished < self.shards
            else f"all {self.shards:,} are there: run the same without --part, which finishes it"
        )


def parse_part(text: str) -> JobPart:
    """Return a part as it is given.

    >>> parse_part("3/16")
    JobPart(number=3, of=16)

    Raises:
        ConfigError: If it is none.
    """
    found = PART.fullmatch(text.strip())
    part = JobPart(int(found[1]), int(found[2])) if found else None
    if part is None or not 1 <= part.number <= part.of:
        raise ConfigError(f"--part: {text!r} is no part; give its number, from 1 on, and how many there are: 3/16")
    return part
