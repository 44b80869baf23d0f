"""Which sampler made a file of ComfyUI: the one behind the node whose prefix its name has; none is guessed."""

import json
from pathlib import Path
from typing import Any

import pytest
from image_bytes import save
from made_elsewhere import imported, rows_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import ToolReading, read_tool

SMALL, LARGE = "a red fish", "a blue boat"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def chain(name: str, text: str, seed: int, latent: str = "empty") -> dict[str, Any]:
    """Return the nodes of a picture by a model of this name, up to what decodes it."""
    return {
        f"{name} load": node("CheckpointLoaderSimple", ckpt_name=name),
        f"{name} text": node("CLIPTextEncode", text=text, clip=[f"{name} load", 1]),
        f"{name} sampler": node(
            "KSampler",
            seed=seed,
            steps=20,
            model=[f"{name} load", 0],
            positive=[f"{name} text", 0],
            negative=["fog", 0],
            latent_image=[latent, 0],
        ),
        f"{name} picture": node("VAEDecode", samples=[f"{name} sampler", 0], vae=[f"{name} load", 2]),
    }


BOTH = {
    "empty": node("EmptyLatentImage", width=8, height=8),
    "fog": node("CLIPTextEncode", text="fog", clip=["sd15 load", 1]),
    **chain("sd15", SMALL, 5),
    **chain("sdxl", LARGE, 77),
}


def saver(name: str, prefix: Any, kind: str = "SaveImage") -> dict[str, Any]:
    return node(kind, filename_prefix=prefix, images=[name, 0])


def picture(**nodes: Any) -> bytes:
    info = PngInfo()
    info.add_text("prompt", json.dumps({**BOTH, **nodes}))
    return save(Image.effect_noise((8, 8), 60).convert("RGB"), "PNG", pnginfo=info)


def read(file: str, **nodes: Any) -> ToolReading:
    return read_tool(picture(**nodes), file)


TWO = {"s": saver("sd15 picture", "sd15"), "x": saver("sdxl picture", "sdxl")}
NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "prefix": ("out/sdxl_00001_.png", TWO),
    "longer prefix": ("a_2_00001_.png", {"s": saver("sd15 picture", "a"), "x": saver("sdxl picture", "a_2")}),
    "folder": ("out/b/i_00001_.png", {"s": saver("sd15 picture", "a/i"), "x": saver("sdxl picture", "b\\i")}),
    "folder that is gone": ("xl_00001_.png", {"s": saver("sd15 picture", "a/sd"), "x": saver("sdxl picture", "b/xl")}),
    "date": (
        "xl2026-01-02_00007_.png",
        {"s": saver("sd15 picture", "sd%date:yyyy-MM-dd%"), "x": saver("sdxl picture", "xl%date:yyyy-MM-dd%")},
    ),
    "saver of WAS": ("xl_0001.png", {"s": TWO["s"], "x": saver("sdxl picture", "xl", "Image Save")}),
    "the other one is shown": (
        "renamed.png",
        {"p": node("PreviewImage", images=["sd15 picture", 0]), "x": TWO["x"]},
    ),
    "what was shown": (
        "ComfyUI_temp_kqvzp_00003_.png",
        {"p": node("PreviewImage", images=["sdxl picture", 0]), "s": TWO["s"]},
    ),
    "hint": (  # what another sampler made and this one only looked at
        "x.png",
        {
            "sdxl text": node("ControlNetApply", conditioning=["words", 0], image=["sd15 picture", 0]),
            "words": node("CLIPTextEncode", text=LARGE, clip=["sdxl load", 1]),
            "x": TWO["x"],
        },
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_name_of_a_file_tells_which_sampler_made_it(name: str) -> None:
    file, nodes = NAMED[name]
    found = read(file, **nodes)
    facts = {"negative_prompt": "fog", "seed": 77, "steps": 20, "model": "sdxl"}
    assert (found.says.prompt, dict(found.says.facts), found.problem) == (LARGE, facts, None)


UNCLEAR: dict[str, tuple[str, dict[str, Any]]] = {
    "another name": ("renamed.png", TWO),
    "one prefix": ("i_00001_.png", {"s": saver("sd15 picture", "i"), "x": saver("sdxl picture", "i")}),
    "a linked prefix": ("i_00001_.png", {"s": saver("sd15 picture", ["n", 0]), "x": saver("sdxl picture", ["n", 0])}),
    "nothing saves": ("i_00001_.png", {}),
    "side by side": (
        "i_00001_.png",
        {
            "s": saver("both", "i"),
            "both": node("ImageConcatenate", image1=["sd15 picture", 0], image2=["sdxl picture", 0]),
        },
    ),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_of_several_samplers_that_may_have_made_it_only_what_they_agree_in_is_said(name: str) -> None:
    file, nodes = UNCLEAR[name]
    found = read(file, **nodes)
    assert (found.says.prompt, dict(found.says.facts)) == (None, {"negative_prompt": "fog", "steps": 20})
    assert found.problem == "comfyui: it may be one of several images of its graph, which differ in prompt, seed, model"


def test_what_was_loaded_and_saved_beside_it_leaves_it_open_too() -> None:
    loaded = {"l": node("LoadImage", image="x"), "x": saver("sdxl picture", "i"), "s": saver("l", "i")}
    found = read("i_00001_.png", **loaded)
    assert (found.says.prompt, dict(found.says.facts)) == (None, {})
    assert "differ in prompt, negative_prompt, seed, steps, model" in (found.problem or "")
    found = read("loaded_00001_.png", **{**loaded, "s": saver("l", "loaded")})
    assert (found.says.prompt, dict(found.says.facts), found.problem) == (None, {}, None)


def test_what_two_samplers_agree_in_is_no_problem_and_one_text_stays() -> None:
    same = chain("sdxl", SMALL, 5)
    found = read("x.png", **TWO, **same)
    assert (found.says.prompt, found.says.facts["seed"], "model" in found.says.facts) == (SMALL, 5, False)
    assert found.problem == "comfyui: it may be one of several images of its graph, which differ in model"
    found = read("x.png", **{**TWO, "x": saver("sd15 picture", "later")})
    assert (found.says.prompt, found.says.facts["model"], found.problem) == (SMALL, "sd15", None)


def test_a_second_sampler_of_one_image_leaves_the_first_one() -> None:
    refined = chain("sdxl", LARGE, 77, latent="sd15 sampler")
    found = read("x.png", **refined, x=TWO["x"])
    assert (found.says.prompt, found.says.facts["model"], found.problem) == (SMALL, "sd15", None)
    cascade = {"hint": node("StableCascade_StageB_Conditioning", conditioning=["none", 0], stage_c=["sd15 sampler", 0])}
    cascade |= {"none": node("ConditioningZeroOut", conditioning=["sd15 text", 0])}
    sampler = {**BOTH["sdxl sampler"]["inputs"], "positive": ["hint", 0]}
    found = read("x.png", **cascade, **{"sdxl sampler": node("KSampler", **sampler)}, x=TWO["x"])
    assert (found.says.prompt, found.says.facts["model"], found.problem) == (SMALL, "sd15", None)


def test_more_savers_than_anybody_means_are_a_reason() -> None:
    found = read("x.png", **{f"s{number}": TWO["s"] for number in range(200)})
    assert found.problem == "comfyui: ValueError: a graph of 202 samplers and savers; at most 200 are read"
    name = f"{'a' * 200}_00001_.png"
    assert read(name, s=saver("sd15 picture", "%y%a" * 50 + "b"), x=TWO["x"]).says.prompt is None


def test_two_models_of_one_graph_are_imported_each_with_its_own(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("sd15", "sdxl"):
        (tmp_path / f"in/{name}_00001_.png").write_bytes(picture(**TWO))
    imported(tmp_path / "in", "--out", tmp_path / "out")
    rows = {
        row["file"]: (row["model"], row["seed"], row["caption"]) for row in rows_of(tmp_path / "out") if row["file"]
    }
    assert rows == {"sd15_00001_.png": ("sd15", 5, SMALL), "sdxl_00001_.png": ("sdxl", 77, LARGE)}
