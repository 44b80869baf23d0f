"""Prompts of the user: one a line of a text file, empty lines left out. The id is the number of the line."""

from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.storage.store_path import ReadPath

# What has lines that are no prompts, by its ending, and what to do about it.
OTHER_KINDS = {
    ".csv": "say kind: csv",
    ".json": "write one prompt a line without brackets and quotes as .txt, or an object a line for kind: jsonl",
    ".jsonl": "say kind: jsonl",
    ".tsv": "say kind: csv",
}


def txt_file(*, path: ReadPath) -> PromptSet:
    """Return the prompts of a text file.

    Raises:
        DataError: If the file cannot be read, holds none, or is no list of lines.
    """
    if kind := OTHER_KINDS.get(path.suffix.lower()):
        raise DataError(f"{path}: not one prompt a line by its name; {kind}")
    lines = read_text(path).split("\n")
    prompts = [
        (number, Prompt(str(number), line.strip())) for number, line in enumerate(lines, start=1) if line.strip()
    ]
    return set_of_file(prompts, path)
