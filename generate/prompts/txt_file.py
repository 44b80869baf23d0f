"""Prompts of the user: one a line of a text file, empty lines left out. The id is the number of the line."""

from pathlib import Path

from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file


def txt_file(*, path: Path) -> PromptSet:
    """Return the prompts of a text file.

    Raises:
        DataError: If the file cannot be read or holds none.
    """
    lines = read_text(path).split("\n")
    prompts = [
        (number, Prompt(str(number), line.strip())) for number, line in enumerate(lines, start=1) if line.strip()
    ]
    return set_of_file(prompts, path)
