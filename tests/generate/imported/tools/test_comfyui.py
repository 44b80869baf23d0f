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


def picture(positive: list[Any], negative: list[Any], *, workflow: Any = None, **nodes: Any) -> bytes:
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
    if workflow is not None:
        info.add_text("workflow", json.dumps(workflow))
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
    "an empty text beside another": (["both", 0], OTHER, {"both": node("CLIPTextEncodeFlux", clip_l="", t5xxl=PROMPT)}),
    "text_l alone": (["both", 0], OTHER, {"both": node("CLIPTextEncodeSDXL", text_g="", text_l=PROMPT)}),
    "one text for both encoders": (
        ["both", 0],
        OTHER,
        {
            "both": node("CLIPTextEncodeSDXL", text_g=["text", 0], text_l=["text", 0]),
            "text": node("PrimitiveStringMultiline", value=PROMPT),
        },
    ),
    "joined": (
        ["p", 0],
        OTHER,
        {
            "p": node("CLIPTextEncode", text=["joined", 0]),
            "joined": node("StringConcatenate", string_a="a red", string_b=["way", 0], delimiter=" "),
            "way": node("Reroute", **{"": ["end", 0]}),
            "end": node("PrimitiveString", value="boat"),
        },
    ),
    "a loader with a linked text": (
        ["load", 1],
        ["load", 2],
        {
            "load": node("Efficient Loader", positive=["text", 0], negative=NEGATIVE),
            "text": node("PrimitiveString", value=PROMPT),
        },
    ),
    "pipes": (
        ONE,
        ONE,
        {
            "sampler": node("easy kSampler", pipe=["set", 0]),
            "set": node("easy preSampling", pipe=["load", 0], steps=20),
            "load": node("easy fullLoader", positive=PROMPT, negative=NEGATIVE),
        },
    ),
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


def encoded(kind: str, **inputs: Any) -> dict[str, Any]:
    """Return the nodes of a text that a node makes, and of what encodes it."""
    return {"p": node("CLIPTextEncode", text=["made", 0], clip=["clip", 0]), "made": node(kind, **inputs)}


ASK = "Describe a boat"
MADE: dict[str, tuple[dict[str, Any], str]] = {
    "replaced": (
        encoded("StringReplace", string="a blue boat", find="blue", replace="red"),
        "StringReplace made its prompt of 'a blue boat'",
    ),
    "asked of a model": (
        encoded("OllamaGenerateV2", system="Be brief", prompt=ASK),
        f"OllamaGenerateV2 made its prompt of '{ASK}'",
    ),
    "asked of the encoder": (
        encoded("TextGenerate", clip=["clip", 0], prompt=ASK),
        f"TextGenerate made its prompt of '{ASK}'",
    ),
    "asked of a model for a loader": (
        {"p": node("Efficient Loader", positive=["made", 0], negative=NEGATIVE), "made": node("LLM", prompt=ASK)},
        f"LLM made its prompt of '{ASK}'",
    ),
    "caption without a text": (encoded("Florence2Run", task="caption"), "Florence2Run made its prompt"),
    "template": (
        encoded("DPRandomGenerator", text="a {red|blue} boat", seed=3),
        "DPRandomGenerator made its prompt of 'a {red|blue} boat'",
    ),
    "styler": (
        encoded("SDXLPromptStyler", text_positive=PROMPT, style="anime"),
        f"SDXLPromptStyler made its prompt of '{PROMPT}'",
    ),
    "joined with what is made": (
        encoded("StringConcatenate", string_a="red", string_b=["ask", 0], delimiter="")
        | {"ask": node("TextGenerate", prompt=ASK)},
        f"StringConcatenate made its prompt of 'red', '{ASK}'",
    ),
    "joined by nobody knows what": (
        encoded("Text Concatenate", text_a=PROMPT, text_b="at sea", delimiter=", "),
        f"Text Concatenate made its prompt of '{PROMPT}', 'at sea'",
    ),
    "shown in the run before": (
        encoded("ShowText|pysssss", text=["ask", 0], text_0="a blue boat") | {"ask": node("TextGenerate", prompt=ASK)},
        f"TextGenerate made its prompt of '{ASK}'",
    ),
    "another encoder's own way": (
        {"p": node("ImpactWildcardEncode", wildcard_text="a {red|blue} boat", clip=["clip", 0])},
        "ImpactWildcardEncode made its prompt of 'a {red|blue} boat'",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_text_that_a_node_made_is_not_known_and_that_is_said(name: str) -> None:
    nodes, problem = MADE[name]
    found = read(["p", 0], OTHER, **nodes)
    assert (found.says.prompt, found.problem) == (None, f"comfyui: {problem}")
    assert (found.says.facts["negative_prompt"], found.says.facts["seed"]) == (NEGATIVE, 7)


def test_a_text_that_was_made_is_known_where_it_was_shown() -> None:
    nodes = encoded("ShowText|pysssss", text=["ask", 0], text_0="x") | {"ask": node("TextGenerate", prompt=ASK)}
    shown = {"nodes": [{"id": "made", "type": "ShowText|pysssss", "widgets_values": [[PROMPT]]}, None]}
    found = read(["p", 0], OTHER, workflow=shown, **nodes)
    assert (found.says.prompt, found.problem) == (PROMPT, None)


@pytest.mark.parametrize(
    "both",
    [
        node("CLIPTextEncodeSDXL", text_g=PROMPT, text_l=NEGATIVE),
        node("CLIPTextEncodeFlux", t5xxl=PROMPT, clip_l=NEGATIVE),
        node("CLIPTextEncodeSD3", t5xxl=PROMPT, clip_l=NEGATIVE, clip_g=PROMPT),
    ],
    ids=lambda both: str(both["class_type"]),
)
def test_of_different_texts_for_several_encoders_none_is_the_prompt(both: dict[str, Any]) -> None:
    found = read(["both", 0], OTHER, both=both)
    assert (found.says.prompt, found.problem) == (None, "comfyui: 2 texts make its prompt: 'a red boat', 'fog'")


@pytest.mark.parametrize(
    ("kind", "sides"),
    [
        ("easy kSampler", ("positive", "negative")),
        ("Detailer", ("positive", "negative")),
        ("XlabsSampler", ("conditioning", "neg_conditioning")),
    ],
)
def test_a_sampler_is_known_by_its_inputs(kind: str, sides: tuple[str, str]) -> None:
    sampler = node(kind, noise_seed=8, steps=4, **dict(zip(sides, (ONE, OTHER), strict=True)))
    found = read(ONE, OTHER, sampler=sampler)
    facts = {"negative_prompt": NEGATIVE, "seed": 8, "steps": 4}
    assert (found.says.prompt, dict(found.says.facts), found.problem) == (PROMPT, facts, None)


def test_a_text_that_doubles_itself_is_a_reason() -> None:
    doubled = {
        f"d{n}": node("StringConcatenate", string_a=[f"d{n + 1}", 0], string_b=[f"d{n + 1}", 0], delimiter="")
        for n in range(60)
    }
    for end in ("", "ab"):
        nodes = {**doubled, "d60": node("PrimitiveString", value=end), "p": node("CLIPTextEncode", text=["d0", 0])}
        found = read(["p", 0], OTHER, **nodes)
        assert ("concatenated text of more than 100,000 letters" in (found.problem or "")) is bool(end)
    nodes = {"a": node("Reroute", **{"": ["b", 0]}), "b": node("Reroute", **{"": ["a", 0]})}
    found = read(["p", 0], OTHER, p=node("CLIPTextEncode", text=["a", 0]), **nodes)
    assert "RecursionError" in (found.problem or "")


FULL = {"positive": PROMPT, "negative": NEGATIVE, "ckpt_name": "xl"}
ALONE = {"steps": 12, "cfg": 4.5, "sampler_name": "euler", "scheduler": "karras", "seed": 9}
SET = {"pipe": ["load", 0], **ALONE}
WRAPPED: dict[str, dict[str, Any]] = {
    "easy": {
        "sampler": node("easy kSampler", pipe=["edit", 0], image_output="Hide"),
        "edit": node("easy pipeIn", pipe=["set", 0]),
        "set": node("easy preSampling", **{**SET, "seed": ["number", 0]}),
        "number": node("easy seed", seed=9),
        "load": node("easy fullLoader", **FULL),
    },
    "easy full": {
        "sampler": node("easy fullkSampler", **SET),
        "load": node("easy comfyLoader", **FULL),
    },
    "tinyterra": {"sampler": node("ttN pipeKSampler", **SET), "load": node("ttN pipeLoader", seed=1, **FULL)},
    "impact": {
        "sampler": node("ImpactKSamplerBasicPipe", basic_pipe=["pipe", 0], **ALONE),
        "pipe": node("ToBasicPipe", model=["load", 0], positive=ONE, negative=OTHER),
        "load": node("CheckpointLoaderSimple", ckpt_name="xl"),
    },
    "efficiency": {
        "sampler": node("KSampler SDXL (Eff.)", sdxl_tuple=["eff", 0], noise_seed=9, **{**ALONE, "seed": 3}),
        "eff": node("Eff. Loader SDXL", base_ckpt_name="xl", positive=PROMPT, negative=NEGATIVE),
    },
    "rgthree": {
        "sampler": node(
            "KSampler",
            **{**ALONE, "steps": ["set", 0], "cfg": ["set", 2]},
            positive=ONE,
            negative=OTHER,
            model=["load", 0],
        ),
        "set": node("KSampler Config (rgthree)", steps_total=12, refiner_step=8, cfg=4.5),
        "load": node("CheckpointLoaderSimple", ckpt_name="xl"),
    },
}


@pytest.mark.parametrize("name", WRAPPED)
def test_settings_come_through_what_wraps_a_sampler(name: str) -> None:
    says = read(ONE, OTHER, **WRAPPED[name]).says
    settings = {"seed": 9, "steps": 12, "sampler": "euler karras", "guidance": 4.5, "model": "xl"}
    assert (says.prompt, says.facts) == (PROMPT, {"negative_prompt": NEGATIVE, **settings})


def test_no_setting_is_known_of_a_plot_nor_a_guidance_that_a_guider_may_not_take() -> None:
    easy = WRAPPED["easy"]
    plot = read(ONE, OTHER, **{**easy, "edit": node("easy XYPlot", pipe=["set", 0])}).says
    assert plot.facts.keys() == {"negative_prompt", "model"}
    guided = read(ONE, OTHER, **{**easy, "set": node("easy preSamplingCustom", **SET, guider="Basic")}).says
    assert (guided.facts["steps"], "guidance" in guided.facts) == (12, False)


@pytest.mark.parametrize("text", ["a {red|blue} boat", "a __colour__ boat"])
def test_a_template_that_a_loader_fills_in_is_no_prompt(text: str) -> None:
    loader = node("easy fullLoader", **{**FULL, "positive": text})
    found = read(ONE, OTHER, **{**WRAPPED["easy"], "load": loader})
    assert (found.says.prompt, found.problem) == (None, f"comfyui: easy fullLoader made its prompt of {text!r}")


def test_the_seed_of_a_node_is_not_taken_for_its_steps() -> None:
    says = read(
        ONE, OTHER, sampler=node("easy fullkSampler", **{**SET, "steps": ["n", 0]}), n=node("easy seed", seed=9)
    ).says
    assert "steps" not in says.facts
