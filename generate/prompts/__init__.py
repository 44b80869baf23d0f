"""Prompt sets: what is asked for, under which id, in which category, and what its picture is held against.

A prompt set is a keyword-only factory that returns a ``PromptSet``. Nothing here knows what is made of a prompt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from diptych.data.checks import NOTHING, Checks
from diptych.errors import DataError

# To add one: a module with a factory, a line here (alphabetical), a test.
PROMPT_SETS: dict[str, str] = {
    "csv": "diptych.generate.prompts.csv_file:csv_file",
    "demo": "diptych.generate.prompts.demo:demo",
    "geneval": "diptych.generate.prompts.geneval:geneval",
    "jsonl": "diptych.generate.prompts.jsonl_file:jsonl_file",
    "partiprompts": "diptych.generate.prompts.partiprompts:partiprompts",
    "txt": "diptych.generate.prompts.txt_file:txt_file",
}

MAX_FILE_BYTES = 256 * 2**20


class Prompt(NamedTuple):
    """One prompt.

    Attributes:
        id: Its name within the set.
        text: What is asked for.
        category: Its group in reports; empty if it has none.
        checks: What its picture is held against.
        negative: Its own negative prompt; None if it has none.
    """

    id: str
    text: str
    category: str = ""
    checks: Checks = NOTHING
    negative: str | None = None

    @property
    def identity(self) -> list[str | None]:
        """Everything that it says, as values of JSON."""
        return [self.id, self.text, self.category, self.checks.to_json(), self.negative]


@dataclass(frozen=True)
class PromptSet:
    """Prompts and where they are from.

    Attributes:
        prompts: In the order of the source.
        source: Where upstream publishes them, or what made them.
        licence: Of the prompts, as upstream states it; empty for a user's own.
        sha256: Of the file; empty where there is none.
    """

    prompts: tuple[Prompt, ...]
    source: str
    licence: str
    sha256: str


def read_text(path: Path) -> str:
    """Return the text of a file of prompts, without a byte order mark.

    Raises:
        DataError: If it cannot be read, is too large or is not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError(f"{path}: {size:,} bytes; a file of prompts has at most {MAX_FILE_BYTES:,}")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file of prompts") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def checked(prompts: Iterable[Prompt], path: Path) -> tuple[Prompt, ...]:
    """Return the prompts of a file after a look at each.

    Raises:
        DataError: If there are none, one is empty, or two have the same id.
    """
    found: dict[str, Prompt] = {}
    for number, prompt in enumerate(prompts, start=1):
        if not prompt.text.strip():
            raise DataError(f"{path}: prompt {number} (id {prompt.id!r}) is empty; remove it or write one")
        if prompt.id in found:
            raise DataError(f"{path}: the id {prompt.id!r} stands twice, again at prompt {number}; ids must differ")
        found[prompt.id] = prompt
    if not found:
        raise DataError(f"{path}: no prompts there")
    return tuple(found.values())
