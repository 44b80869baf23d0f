"""The job of reading an input once, before it is known which shards it makes: a file of rows after the other.

What is found is what ``sources.index`` says of a part, and is remembered there; here it only gets to several workers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from diptych.curate.config import Source
from diptych.curate.sources import open_source
from diptych.curate.sources.digests import IdentifiedPart
from diptych.curate.sources.index import PartIndex, index_part
from diptych.jobs.contract import Report

Numbered = tuple[int, IdentifiedPart]


@dataclass(frozen=True)
class IndexJob:
    """Reads one part after the other.

    Attributes:
        source: What they are parts of.
        reading: What decides which rows are read from given bytes.
    """

    source: Source
    reading: Any
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[Numbered], tuple[int, PartIndex]]:
        """Return the function that reads a part, which has a number, and returns its index with that."""
        source = open_source(self.source)

        def read(task: Numbered) -> tuple[int, PartIndex]:
            number, found = task
            return number, index_part(source, found, self.reading, lambda rows: report(rows, {}))

        return read
