"""PartiPrompts (P2): 1,632 prompts of 12 categories (Yu et al. 2022, arXiv:2206.10789). They bring no checks.

A tab-separated table without quoting: the quotation marks in it belong to the prompts. Its challenges (Quantity,
Imagination, ...) and notes are further columns.
"""

from diptych.assets import fetch
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.storage.store_path import ReadPath

ASSET = "partiprompts"
COUNT = 1632
HEADER = ["Prompt", "Category", "Challenge", "Note"]


def partiprompts(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of ``PartiPrompts.tsv``, or of a file of the same form; the id is the row's number from 0.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    file = path or fetch(ASSET)
    lines = [line.removesuffix("\r") for line in read_text(file).split("\n")]
    if lines[0].split("\t") != HEADER:
        raise DataError(f"{file}:1: PartiPrompts begins with the columns {', '.join(HEADER)}, got {lines[0][:80]!r}")
    prompts = []
    for number, line in enumerate(lines[1:], start=2):
        if line:
            fields = line.split("\t")
            if len(fields) != len(HEADER):
                raise DataError(f"{file}:{number}: {len(fields)} fields, the header has {len(HEADER)}")
            text, category, challenge, note = fields
            columns = {"challenge": challenge, "note": note or None}
            prompts.append((number, Prompt(f"{number - 2:05d}", text, (category,), columns=columns)))
    return set_of_file(prompts, file, asset=ASSET)
