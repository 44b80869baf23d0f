"""NovelAI: ``Software`` says so, ``Comment`` is JSON, ``Description`` the prompt, ``Source`` the model."""

from collections.abc import Mapping

from diptych.generate.imported.tools.said import ToolSays, json_object, sampler_name, tool_says

SOFTWARE = "NovelAI"


def read_novelai(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what NovelAI says; None where it is another program's."""
    if texts.get("Software") != SOFTWARE:
        return None
    said = json_object(texts.get("Comment")) or {}
    return tool_says(
        said.get("prompt", texts.get("Description")),
        negative_prompt=said.get("uc"),
        seed=said.get("seed"),
        steps=said.get("steps"),
        sampler=sampler_name(said.get("sampler"), said.get("noise_schedule")),
        guidance=said.get("scale"),
        model=texts.get("Source"),
    )
