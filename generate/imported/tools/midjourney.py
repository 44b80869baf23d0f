"""Midjourney: ``Description`` with the prompt, its options and ``Job ID:``; copies from Discord have a name alone."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from diptych.generate.imported.tools.said import ToolSays, tool_says

JOB = "Job ID:"
OPTION = re.compile(r"\s--(\w+)(?:\s+((?:(?!\s--).)*))?", re.DOTALL)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NAME = re.compile(rf"(?P<user>[^_]+)_(?P<words>.+?)_(?P<job>{UUID})(?:_\d)?")


def read_midjourney(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what Midjourney says; None where it is another program's.

    A name has the words of the prompt without signs, and only its beginning.
    """
    text, job, job_id = texts.get("Description", "").rpartition(JOB)
    if job and re.fullmatch(UUID, job_id.strip()):
        return _of_description(text.rstrip())
    found = NAME.fullmatch(PurePosixPath(file).stem)
    return tool_says(found["words"].replace("_", " ")) if found else None


def _of_description(text: str) -> ToolSays:
    prompt, _, _ = text.partition(" --")
    options = {name: (value or "").strip() for name, value in OPTION.findall(text)}
    version = options.get("v") or options.get("version")
    return tool_says(
        prompt.strip(),
        negative_prompt=options.get("no"),
        seed=options.get("seed"),
        model=f"Midjourney {version}" if version else None,
    )
