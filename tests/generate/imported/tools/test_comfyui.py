"""Which texts a graph of ComfyUI was run with: those behind its sampler, unless they are emptied, or several."""

import json
from pathlib import Path
from typing import Any

import pytest
from image_bytes import save
from made_elsewhere import imported, rows_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import ToolReading, read_tool

PROMPT, NEGATIVE = "a red boat", "fog"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def picture(positive: list[Any], negative: list[Any], **nodes: Any) -> bytes:
    """Return a picture of a graph: a sampler, its sides, a node for each of two texts, and some further ones."""
    graph = {
        "sampler": node("KSampler", seed=7, steps=20, positive=positive, negative=negative, latent_image=["empty", 0]),
        "empty": node("EmptyLatentImage", width=8, height=8),
        "one": node("CLIPTextEncode", text=PROMPT, clip=["clip", 0]),
        "other": node("CLIPTextEncode", text=NEGATIVE, clip=["clip", 0]),
        "clip": node("CLIPLoader", clip_name="x"),
        **nodes,
    }
    info = PngInfo()
    info.add_text("prompt", json.dumps(graph))
    return save(Image.new("RGB", (8, 8), (9, 9, 9)), "PNG", pnginfo=info)


def read(positive: list[Any], negative: list[Any], **nodes: Any) -> ToolReading:
    return read_tool(picture(positive, negative, **nodes), "x.png")


ONE, OTHER = ["one", 0], ["other", 0]
GRAPHS: dict[str, tuple[list[Any], list[Any], dict[str, Any]]] = {
    "both texts of one": (["both", 0], OTHER, {"both": node("ConditioningCombine", one=ONE, other=ONE)}),
    "the first timesteps alone": (  # as graphs for SD3 do it
        ONE,
        ["all", 0],
        {
            "all": node("ConditioningCombine", conditioning_1=["late", 0], conditioning_2=["early", 0]),
            "early": node("ConditioningSetTimestepRange", conditioning=OTHER, start=0, end=0.1),
            "late": node("ConditioningSetTimestepRange", conditioning=["zero", 0], start=0.1, end=1),
            "zero": node("ConditioningZeroOut", conditioning=OTHER),
        },
    ),
    "styler": (
        ["p", 0],
        ["n", 0],
        {
            "p": node("CLIPTextEncode", text=["styler", 0]),
            "n": node("CLIPTextEncode", text=["styler", 1]),
            "styler": node("SDXLPromptStyler", text_positive=PROMPT, text_negative=NEGATIVE),
        },
    ),
    "loader": (["load", 1], ["load", 2], {"load": node("Efficient Loader", positive=PROMPT, negative=NEGATIVE)}),
    "context": (["all", 4], ["all", 5], {"all": node("Context Big (rgthree)", positive=ONE, negative=OTHER)}),
    "both sides behind another node": (
        ["guided", 0],
        ["control", 1],
        {
            "guided": node("FluxGuidance", conditioning=["control", 0], guidance=3.5),
            "control": node("ControlNetApplyAdvanced", positive=ONE, negative=OTHER, control_net=["net", 0]),
            "net": node("ControlNetLoader", control_net_name="x"),
        },
    ),
    "an earlier picture beside the text": (
        ["with", 0],
        OTHER,
        {
            "with": node("ReferenceLatent", conditioning=ONE, latent=["encoded", 0]),
            "encoded": node("VAEEncode", pixels=["decoded", 0]),
            "decoded": node("VAEDecode", samples=["later", 0]),
            "later": node("KSampler", positive=OTHER, negative=OTHER, latent_image=["sampler", 0]),
        },
    ),
    "an empty text beside another": (["both", 0], OTHER, {"both": node("CLIPTextEncodeFlux", clip_l="", t5xxl=ONE)}),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_texts_behind_a_sampler_are_its_prompts(name: str) -> None:
    positive, negative, nodes = GRAPHS[name]
    found = read(positive, negative, **nodes)
    assert (found.says.prompt, found.says.facts["negative_prompt"], found.problem) == (PROMPT, NEGATIVE, None)


def test_the_first_output_of_both_sides_is_the_positive_one() -> None:
    found = read(["both", 0], ["both", 0], both=node("ControlNetApplyAdvanced", positive=ONE, negative=OTHER))
    assert (found.says.prompt, found.says.facts["negative_prompt"]) == (PROMPT, PROMPT)


@pytest.mark.parametrize("kind", ["ConditioningZeroOut", "Conditioning Zero Out"])
def test_a_text_that_is_zeroed_out_is_no_negative_prompt(kind: str) -> None:
    found = read(ONE, ["zero", 0], zero=node(kind, conditioning=ONE))
    assert (found.says.prompt, dict(found.says.facts), found.problem) == (PROMPT, {"seed": 7, "steps": 20}, None)


@pytest.mark.parametrize("kind", ["ConditioningCombine", "ConditioningConcat", "ConditioningAverage"])
def test_of_several_texts_none_is_the_prompt_and_that_is_said(kind: str) -> None:
    both = node(kind, conditioning_to=ONE, conditioning_from=OTHER)
    found = read(["both", 0], OTHER, both=both)
    assert (found.says.prompt, found.says.facts["negative_prompt"], found.says.facts["seed"]) == (None, NEGATIVE, 7)
    assert found.problem == "comfyui: 2 texts make its prompt: 'a red boat', 'fog'"
    found = read(ONE, ["both", 0], both=both)
    assert (found.says.prompt, "negative_prompt" in found.says.facts) == (PROMPT, False)
    assert found.problem == "comfyui: 2 texts make its negative prompt: 'a red boat', 'fog'"


def test_an_image_of_several_texts_counts_for_its_program_and_has_no_prompt(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    both = node("ConditioningConcat", conditioning_to=ONE, conditioning_from=OTHER)
    (tmp_path / "in/0001.png").write_bytes(picture(["both", 0], OTHER, both=both))
    facts = imported(tmp_path / "in", "--out", tmp_path / "out")
    assert (facts["tools"], facts["unprompted"]) == ({"comfyui": 1}, ["0001.png"])
    (row,) = rows_of(tmp_path / "out")
    assert (row["seed"], row["tool_prompt"], row["caption"]) == (7, None, None)
    assert row["tool_problem"].startswith("comfyui: 2 texts make its prompt")
