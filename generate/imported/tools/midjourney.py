"""Midjourney: ``Description`` with the prompt, its options and ``Job ID:``.

Copies from Discord have a name alone, which says a program as little as it says where the user's name ends.
"""

import re
from collections.abc import Mapping

from diptych.generate.imported.tools.said import ToolSays, tool_says

JOB = "Job ID:"
FLAG = r"\s--(?=\w)"  # before an option; two dashes or more that stand alone are the prompt's
OPTION = re.compile(rf"{FLAG}(\w+)(?:\s+((?:(?!{FLAG}).)*))?", re.DOTALL)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def read_midjourney(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what Midjourney says; None where it is another program's."""
    text, job, job_id = texts.get("Description", "").rpartition(JOB)
    return _of_description(text.rstrip()) if job and re.fullmatch(UUID, job_id.strip()) else None


def _of_description(text: str) -> ToolSays:
    prompt = re.split(FLAG, text, maxsplit=1)[0]
    options = {name: (value or "").strip() for name, value in OPTION.findall(text)}
    version = options.get("v") or options.get("version")
    return tool_says(
        prompt.strip(),
        negative_prompt=options.get("no"),
        seed=options.get("seed"),
        model=f"Midjourney {version}" if version else None,
    )
