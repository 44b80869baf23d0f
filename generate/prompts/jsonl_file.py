"""Prompts of the user: one JSON object a line, with the keys prompt, id, category, negative, checks, images."""

from collections.abc import Sequence

from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.generate.prompts import PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import KEYS, RecordPlace, check_carried, prompt_of
from diptych.lookup import describe_unknown
from diptych.storage.store_path import ReadPath


def jsonl_file(*, path: ReadPath, carry: Sequence[str] = ()) -> PromptSet:
    """Return the prompts of a JSON Lines file; without an id, the number of the line is the id.

    Args:
        path: The file.
        carry: Further keys, carried into the generated data as columns.

    Raises:
        ConfigError: If a further key cannot be a column.
        DataError: If the file cannot be read or a line is not such an object.
    """
    check_carried(carry)
    prompts = []
    for line, value in json_lines(read_text(path), path):
        for key in value:
            if key not in KEYS and key not in carry:
                raise DataError(f"{path}:{line}: {describe_unknown('key', key, [*KEYS, *carry])}")
        prompts.append((line, prompt_of(value, RecordPlace(path, line), carry)))
    return set_of_file(prompts, path)
