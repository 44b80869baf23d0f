"""NovelAI: ``Software`` says so, ``Comment`` is JSON, ``Description`` the prompt, ``Source`` the model.

In a WebP these are the parts of an object in the comment of EXIF, where ``Description`` has lost what is no ASCII.

From version 4 characters may have captions of their own beside the prompt; then no one text is the prompt.
"""

from collections.abc import Mapping
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, json_object, part, sampler_name, tool_says_of

SOFTWARE = "NovelAI"


def read_novelai(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what NovelAI says; None where it is another program's."""
    comment = texts.get("UserComment", "")
    is_webp = f'"{SOFTWARE}' in comment
    parts: Mapping[str, Any] = (json_object(comment) or {}) if is_webp else texts
    if parts.get("Software") != SOFTWARE:
        return None
    said = json_object(parts.get("Comment")) or {}
    return tool_says_of(
        [said.get("prompt", None if is_webp else texts.get("Description")), *_of_characters(said, "v4_prompt")],
        [said.get("uc"), *_of_characters(said, "v4_negative_prompt")],
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(said.get("sampler"), said.get("noise_schedule")),
        guidance=said.get("scale"),
        model=parts.get("Source"),
    )


def _of_characters(said: Mapping[str, Any], key: str) -> list[Any]:
    captions = part(part(said, key), "caption").get("char_captions")
    return [one.get("char_caption") for one in captions if isinstance(one, dict)] if isinstance(captions, list) else []
