"""SwarmUI: JSON with ``sui_image_params`` where A1111 has its infotext."""

from collections.abc import Mapping

from diptych.generate.imported.tools.said import ToolSays, json_object, part, tool_says
from diptych.generate.imported.tools.texts import main_text

KEY = "sui_image_params"


def read_swarmui(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what SwarmUI says; None where it is another program's."""
    text = main_text(texts) or ""
    if f'"{KEY}"' not in text:
        return None
    said = part(json_object(text), KEY)
    return tool_says(
        said.get("prompt"),
        negative_prompt=said.get("negativeprompt"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=said.get("sampler"),
        guidance=said.get("cfgscale"),
        model=said.get("model"),
    )
