"""A judge that looked elsewhere: what it answered lies beside the dataset already, as ``import-evidence`` wrote it.

No model is loaded and no picture opened. What was answered is told by the file that it came from, so that two files
are two judges' evidence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.errors import ConfigError, DataError
from diptych.judges.contract import Answer, Found, Query

VERSION = 1
CONTENT_DIGITS = 16
CONTENT = re.compile(rf"[0-9a-f]{{{CONTENT_DIGITS}}}")


@dataclass(frozen=True)
class ImportedAnswers:
    """The judge.

    Attributes:
        name: Of who judged.
        content: What tells the imported answers from others, 16 hex digits.
    """

    name: str
    content: str

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, and what was imported."""
        return {"judge": self.name, "imported": self.content, "version": VERSION}

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> Found[Answer]:
        """Refuse to look: whatever was imported is found where it is stored, and nobody asks.

        Raises:
            DataError: Always.
        """
        raise DataError(
            f"judge {self.name!r}: answers with the content {self.content} were not imported into this dataset as it "
            f"is; run diptych evaluate import-evidence and paste the lines that it prints"
        )


def imported(*, name: str, content: str) -> ImportedAnswers:
    """Return the judge.

    Args:
        name: Of who judged, of a-z, 0-9 and _.
        content: As ``diptych evaluate import-evidence`` prints it: 16 hex digits.

    Raises:
        ConfigError: If the content has another form.
    """
    if not CONTENT.fullmatch(content):
        raise ConfigError(f"content: {content!r} is not 16 hex digits; paste what import-evidence prints")
    return ImportedAnswers(name, content)
