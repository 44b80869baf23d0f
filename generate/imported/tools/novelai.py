"""NovelAI: ``Software`` says so, ``Comment`` is JSON, ``Description`` the prompt, ``Source`` the model.

In a WebP these are the parts of an object in the comment of EXIF, where ``Description`` has lost what is no ASCII. A
JPEG that a program made of either may have this object as its comment, or what ``Comment`` is, known by its keys.

From version 4 characters may have captions of their own beside the prompt; then no one text is the prompt.
"""

from collections.abc import Mapping
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, json_object, part, sampler_name, tool_says_of

SOFTWARE = "NovelAI"
OWN_KEYS = frozenset({"prompt", "uc", "scale", "sampler", "seed"})  # of its ``Comment``; nobody else says ``uc``


def read_novelai(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what NovelAI says; None where it is another program's."""
    parts = _parts(texts)
    if parts is None:
        return None
    said = json_object(parts.get("Comment")) or {}
    description = texts.get("Description") if parts is texts else None
    return tool_says_of(
        [said.get("prompt", description), *_of_characters(said, "v4_prompt")],
        [said.get("uc"), *_of_characters(said, "v4_negative_prompt")],
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(said.get("sampler"), said.get("noise_schedule")),
        guidance=said.get("scale"),
        model=parts.get("Source"),
    )


def _parts(texts: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return its texts by their keys; None where there are none."""
    if texts.get("Software") == SOFTWARE:
        return texts
    for text in (texts.get("UserComment", ""), texts.get("Comment", "")):
        if f'"{SOFTWARE}' in text and (json_object(text) or {}).get("Software") == SOFTWARE:
            return json_object(text)
        if all(f'"{key}"' in text for key in OWN_KEYS) and (json_object(text) or {}).keys() >= OWN_KEYS:
            return {"Comment": text}
    return None


def _of_characters(said: Mapping[str, Any], key: str) -> list[Any]:
    captions = part(part(said, key), "caption").get("char_captions")
    return [one.get("char_caption") for one in captions if isinstance(one, dict)] if isinstance(captions, list) else []
