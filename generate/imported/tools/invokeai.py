"""InvokeAI: ``invokeai_metadata``, before that ``sd-metadata``, and before that the command line ``dream``."""

import re
from collections.abc import Mapping
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, json_object, part, tool_says

FLAG = re.compile(r" -([A-Za-z])\s?([^\s-][^\s]*)")
DREAM = re.compile(r'"(?P<prompt>(?:\\.|[^\\"])*)"(?P<flags>.*)', re.DOTALL)


def read_invokeai(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what InvokeAI says; None where it is another program's."""
    said = json_object(texts.get("invokeai_metadata"))
    if said is not None:
        return _of_metadata(said)
    said = json_object(texts.get("sd-metadata"))
    if said is not None:
        return _of_sd_metadata(said)
    return _of_dream(texts["dream"]) if "dream" in texts else None


def _of_metadata(said: Mapping[str, Any]) -> ToolSays:
    model = part(said, "model")
    return tool_says(
        said.get("positive_prompt"),
        negative_prompt=said.get("negative_prompt"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=said.get("scheduler"),
        guidance=said.get("cfg_scale"),
        model=model.get("name") or model.get("model_name"),
    )


def _of_sd_metadata(said: dict[str, Any]) -> ToolSays:
    image = part(said, "image")
    prompt = image.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):  # several with weights: of one, its text
        prompt = prompt[0].get("prompt") if len(prompt) == 1 else None
    return tool_says(
        prompt,
        seed=image.get("seed"),
        steps=image.get("steps"),
        sampler=image.get("sampler"),
        guidance=image.get("cfg_scale"),
        model=said.get("model_weights"),
    )


def _of_dream(text: str) -> ToolSays:
    found = DREAM.match(text.strip())
    flags = dict(FLAG.findall(found["flags"])) if found else {}
    return tool_says(
        found["prompt"].replace('\\"', '"') if found else None,
        seed=flags.get("S"),
        steps=flags.get("s"),
        sampler=flags.get("A"),
        guidance=flags.get("C"),
    )
