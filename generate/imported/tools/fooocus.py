"""Fooocus: ``parameters`` as JSON, or as an infotext, and ``fooocus_scheme``, which says which of them."""

from collections.abc import Mapping

from diptych.generate.imported.tools.infotext import parse_infotext
from diptych.generate.imported.tools.said import ToolSays, json_object, sampler_name, tool_says
from diptych.generate.imported.tools.texts import main_text

SCHEME = "fooocus_scheme"
VERSION = "Fooocus"  # begins the version, which its JSON has, and the software of a JPEG or WebP


def read_fooocus(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what Fooocus says; None where it is another program's."""
    text = main_text(texts)
    is_its_own = SCHEME in texts or texts.get("Software", "").startswith(VERSION)
    if text is None or not (is_its_own or f'"{VERSION}' in text):
        return None
    said = json_object(text)
    if said is None:
        return parse_infotext(text)
    if not is_its_own and not str(said.get("version", "")).startswith(VERSION):
        return None
    return tool_says(
        said.get("prompt"),
        negative_prompt=said.get("negative_prompt"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(said.get("sampler"), said.get("scheduler")),
        guidance=said.get("guidance_scale"),
        model=said.get("base_model"),
    )
