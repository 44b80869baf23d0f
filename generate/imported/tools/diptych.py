"""diptych's own: JSON under ``diptych``, with all columns of a generated image, so that nothing is lost on the way."""

import json
from collections.abc import Mapping
from typing import Any

from diptych.data.generated_columns import generated_columns
from diptych.generate.imported.tools.said import ToolSays, json_object, tool_says

KEY = "diptych"
VERSION = 1
CHECKED = ("negative_prompt", "seed", "steps", "sampler", "guidance", "model")  # by ``tool_says``


def read_diptych(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what an export of diptych says; None where it is another program's."""
    said = json_object(texts.get(KEY))
    if said is None or said.get("version") != VERSION:
        return None
    found = tool_says(said.get("caption"), **{name: said.get(name) for name in CHECKED})
    others = {
        name: said[name] for name in generated_columns() if name not in CHECKED and _is_sound(name, said.get(name))
    }
    return ToolSays(found.prompt, {**found.facts, **others})


def said_of_row(row: Mapping[str, Any]) -> str:
    """Return what a row says in its columns as a generated image, and its caption; what is null is left out."""
    said = {name: row[name] for name in ("caption", *generated_columns()) if row[name] is not None}
    return json.dumps({"version": VERSION, **said}, ensure_ascii=False)


def _is_sound(name: str, value: Any) -> bool:
    kind = generated_columns()[name].dtype
    if kind == "strings":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
