"""InvokeAI: ``invokeai_metadata``, before that ``sd-metadata``, and before that the command line under ``Dream``.

The command line is the prompt, in quotes or not, and flags of which the first is the number of steps. Source:
invoke-ai/InvokeAI, ``ldm/invoke/pngwriter.py`` and ``args.py``.
"""

import re
from collections.abc import Mapping
from typing import Any

from diptych.generate.imported.tools.said import ToolSays, first_said, json_object, part, tool_says, tool_says_of

DREAM = ("Dream", "dream")  # the second in copies by other programs
FLAG = re.compile(r" -([A-Za-z])\s?([^\s-][^\s]*)")
STEPS = re.compile(r" -s ?[0-9]")


def read_invokeai(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what InvokeAI says; None where it is another program's."""
    said = json_object(texts.get("invokeai_metadata"))
    if said is not None:
        return _of_metadata(said)
    said = json_object(texts.get("sd-metadata"))
    if said is not None:
        return _of_sd_metadata(said)
    dream = first_said(texts, *DREAM)
    return _of_dream(dream) if dream is not None else None


def _of_metadata(said: Mapping[str, Any]) -> ToolSays:
    model = part(said, "model")
    return tool_says_of(
        [said.get("positive_prompt"), said.get("positive_style_prompt")],  # the second for an encoder of SDXL alone
        [said.get("negative_prompt"), said.get("negative_style_prompt")],
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=said.get("scheduler"),
        guidance=first_said(said, "guidance", "cfg_scale"),  # the first of models that read it as an input
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
    found = STEPS.search(text)
    if found is None:
        return ToolSays()
    prompt, flags = text[: found.start()].strip(), dict(FLAG.findall(text[found.start() :]))
    is_quoted = len(prompt) > 1 and prompt[0] == prompt[-1] == '"'
    return tool_says(
        prompt[1:-1].replace('\\"', '"') if is_quoted else prompt,
        seed=flags.get("S"),
        steps=flags.get("s"),
        sampler=flags.get("A"),
        guidance=flags.get("C"),
    )
