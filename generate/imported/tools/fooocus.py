"""Fooocus: ``parameters`` as JSON, or as an infotext, and ``fooocus_scheme``, which says which of them.

Two programs that came of it write other keys: Fooocus-MRE into ``Comment``, RuinedFooocus into ``parameters``.
"""

from collections.abc import Mapping

from diptych.generate.imported.tools.infotext import parse_infotext
from diptych.generate.imported.tools.said import ToolSays, first_said, json_object, sampler_name, tool_says
from diptych.generate.imported.tools.texts import main_text

SCHEME = "fooocus_scheme"
VERSION = "Fooocus"  # begins the version, which its JSON has, and the software of a JPEG or WebP
MRE, RUINED = " MRE", "RuinedFooocus"  # how ``software`` ends in the JSON of the one, and what it is in the other's


def read_fooocus(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what Fooocus, or one of the programs that came of it, says; None where it is another program's."""
    text = main_text(texts)
    is_its_own = SCHEME in texts or texts.get("Software", "").startswith(VERSION)
    if text is None or not (is_its_own or f'"{VERSION}' in text):
        return _of_others(texts.get("Comment"), MRE) or _of_others(text, RUINED)
    said = json_object(text)
    if said is None:
        return parse_infotext(text)
    if not is_its_own and not str(said.get("version", "")).startswith(VERSION):
        return _of_others(texts.get("Comment"), MRE) or _of_others(text, RUINED)
    return tool_says(
        said.get("prompt"),
        negative_prompt=said.get("negative_prompt"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(said.get("sampler"), said.get("scheduler")),
        guidance=said.get("guidance_scale"),
        model=said.get("base_model"),
    )


def _of_others(text: str | None, ending: str) -> ToolSays | None:
    """Return what a program says that came of Fooocus; None where the software that it names ends otherwise."""
    said = json_object(text) if f'{ending}"' in (text or "") else None
    software = str((said or {}).get("software", ""))
    if said is None or VERSION not in software or not software.endswith(ending):
        return None
    return tool_says(
        first_said(said, "prompt", "Prompt"),
        negative_prompt=first_said(said, "negative_prompt", "Negative"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(first_said(said, "sampler", "sampler_name"), said.get("scheduler")),
        guidance=said.get("cfg"),
        model=first_said(said, "base_model", "base_model_name"),
    )
