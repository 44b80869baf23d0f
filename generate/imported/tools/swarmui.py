"""SwarmUI: JSON with ``sui_image_params`` where A1111 has its infotext.

Older versions name the sampler after the program that ran it. Of FLUX the guidance is what the model reads as an input.
"""

from collections.abc import Mapping

from diptych.generate.imported.tools.said import ToolSays, first_said, json_object, part, sampler_name, tool_says
from diptych.generate.imported.tools.texts import main_text

KEY = "sui_image_params"
SAMPLERS = ("sampler", "comfyuisampler", "autowebuisampler")
SCHEDULES = ("scheduler", "comfyuischeduler")


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
        sampler=sampler_name(first_said(said, *SAMPLERS), first_said(said, *SCHEDULES)),
        guidance=first_said(said, "fluxguidancescale", "cfgscale"),
        model=said.get("model"),
    )
