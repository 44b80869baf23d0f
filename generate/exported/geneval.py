"""GenEval: ``00000/samples/00000.png`` and ``00000/metadata.jsonl``, as its ``evaluate_images.py`` reads them.

The number of a folder is the prompt's id where all ids are numbers, as GenEval's own are; else the place of the prompt.
"""

import json
from collections.abc import Sequence
from typing import Any

from diptych.data.checks import read_checks
from diptych.errors import DataError
from diptych.generate.exported import ExportLayout, ExportRow

SCORED = frozenset({"tag", "include"})  # of the metadata: without them its script ends, or finds every image right


def _names(rows: Sequence[ExportRow]) -> list[str]:
    folders = _folders(rows)
    names = [f"{folders[_prompt(row)]:05d}/samples/{row['sample']:05d}.png" for row in rows]
    seen = set[str]()
    for row, name in zip(rows, names, strict=True):
        if name in seen:
            raise DataError(f"two images are sample {row['sample']} of the prompt {_prompt(row)!r}; export them apart")
        seen.add(name)
    return names


def _folders(rows: Sequence[ExportRow]) -> dict[Any, int]:
    """Return the number of the folder of each prompt."""
    prompts = dict.fromkeys(map(_prompt, rows))
    are_numbers = all(isinstance(prompt, str) and prompt.isascii() and prompt.isdigit() for prompt in prompts)
    numbers = [int(prompt) if are_numbers else place for place, prompt in enumerate(prompts)]
    return dict(zip(prompts, numbers if len(set(numbers)) == len(numbers) else range(len(prompts)), strict=True))


def _has_place(row: ExportRow) -> bool:
    return row["sample"] is not None and bool(row["caption"])


def _prompt(row: ExportRow) -> Any:
    return row["prompt_id"] if row["prompt_id"] is not None else row["caption"]


def _beside(rows: Sequence[ExportRow], names: Sequence[str]) -> dict[str, bytes]:
    files = {}
    for row, name in zip(rows, names, strict=True):
        files[f"{name.partition('/')[0]}/metadata.jsonl"] = row
    return {name: (json.dumps(_metadata(row), ensure_ascii=False) + "\n").encode() for name, row in files.items()}


def _metadata(row: ExportRow) -> dict[str, Any]:
    """Return what GenEval says of a prompt: its tag, what has to be seen, what must not be, and the text."""
    checks = read_checks(row["checks"])
    asked = checks.to_object() if checks is not None else {}
    said: dict[str, Any] = {"tag": row["category"][0]} if row["category"] else {}
    said |= {part: asked[part] for part in ("include", "exclude") if part in asked}
    return {**said, "prompt": row["caption"]}


def _lacking(rows: Sequence[ExportRow]) -> str:
    said = {_prompt(row): _metadata(row) for row in rows}
    without = [prompt for prompt, one in said.items() if not one.keys() >= SCORED]
    if not without:
        return ""
    return (
        f"GenEval's own script cannot score {len(without):,} of {len(said):,} prompts, such as {without[0]!r}: "
        f"they have no tag (category) or nothing that has to be seen (checks with include)"
    )


GENEVAL = ExportLayout(_names, _beside, of_one_model=True, has_place=_has_place, lacking=_lacking)
