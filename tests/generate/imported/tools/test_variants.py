"""What is written otherwise than the programs of the table mostly do: other formats, savers and related programs."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from image_bytes import save
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import ToolReading, read_tool
from diptych.generate.imported.tools.said import ToolSays

PICTURE = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
PROMPT, NEGATIVE = 'a (red:1.2) boat,\nat "sea": 港', "fog"
SAID = {"negative_prompt": NEGATIVE, "seed": 7, "steps": 25, "sampler": "euler karras", "guidance": 6.5, "model": "xl"}


def with_tags(kind: str, tags: Mapping[int, str], comment: bytes = b"") -> bytes:
    """Return a picture with texts in tags of EXIF, and one in the comment there."""
    exif = Image.Exif()
    for tag, text in tags.items():
        exif[tag] = text
    if comment:
        exif.get_ifd(0x8769)[0x9286] = comment
    return save(PICTURE, kind, exif=exif.tobytes())


def png(**texts: Any) -> bytes:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, json.dumps(value))
    return save(PICTURE, "PNG", pnginfo=info)


SETTINGS = {"seed": 7, "steps": 25, "scheduler": "karras"}
SAMPLER = {**SETTINGS, "cfg": 6.5, "sampler_name": "euler", "model": ["4", 0], "positive": ["6", 0]}
COMFY = {
    "3": {"class_type": "KSampler", "inputs": {**SAMPLER, "negative": ["7", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": PROMPT, "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": NEGATIVE, "clip": ["4", 1]}},
}
GRAPH = json.dumps(COMFY)
MRE = {  # the prompt as it was typed beside what its styles made of it
    **SETTINGS,
    "prompt": PROMPT,
    "negative_prompt": NEGATIVE,
    "real_prompt": [f"cinematic {PROMPT}"],
    "cfg": 6.5,
    "sampler": "euler",
    "base_model": "xl",
    "software": "Fooocus 2.0.78.5 MRE",
}
RUINED = {
    **SETTINGS,
    "Prompt": PROMPT,
    "Negative": NEGATIVE,
    "cfg": 6.5,
    "sampler_name": "euler",
    "base_model_name": "xl",
    "software": "RuinedFooocus",
}
NOVEL = {"prompt": PROMPT, "uc": NEGATIVE, "sampler": "euler", "noise_schedule": "karras", "scale": 6.5, **SETTINGS}
NOVEL_WEBP = {  # whose description has lost what is no ASCII
    "Comment": json.dumps(NOVEL),
    "Description": "\0\0\0\0a (red:1.2) boat \ufffd",
    "Software": "NovelAI",
    "Source": "xl",
    "Title": "NovelAI generated image",
}
INFOTEXT = (
    f"{PROMPT}\nNegative prompt: {NEGATIVE}\n"
    "Steps: 25, Sampler: euler, Schedule type: karras, CFG scale: 6.5, Seed: 7, Model: xl"
)
CASES: dict[str, tuple[str, bytes]] = {
    "core webp": ("comfyui", with_tags("WEBP", {0x010F: "workflow:{}", 0x0110: f"prompt:{GRAPH}"})),
    "WAS webp": (  # whose workflow is all that it knows, one object behind another
        "comfyui",
        with_tags("WEBP", {0x010E: 'Workflow:{"nodes": []}{"a": 1}', 0x010F: f"Prompt:{GRAPH}"}),
    ),
    "SaveImageExtended": ("comfyui", with_tags("JPEG", {0x010E: "Workflow: {}", 0x010F: f"Prompt: {GRAPH}"})),
    "SaveImagePlus": (
        "comfyui",
        with_tags("WEBP", {}, b"ASCII\0\0\0" + json.dumps({"prompt": COMFY, "workflow": {}}).encode()),
    ),
    "Fooocus-MRE": ("fooocus", png(Comment=MRE)),
    "RuinedFooocus": ("fooocus", png(parameters=RUINED)),
    "Fooocus-MRE jpeg": ("fooocus", save(PICTURE, "JPEG", comment=json.dumps(MRE))),
    "A1111 jpeg made of another": ("a1111", save(PICTURE, "JPEG", comment=INFOTEXT.encode())),
    "A1111 gif": ("a1111", save(PICTURE, "GIF", comment=(INFOTEXT + " " * 300).encode())),
    "A1111 avif": ("a1111", with_tags("AVIF", {}, b"UNICODE\0" + INFOTEXT.encode("utf-16-be"))),
    "A1111 utf-8": ("a1111", with_tags("JPEG", {}, b"UNICODE\0" + INFOTEXT.encode())),
    "A1111 utf-16 marked": ("a1111", with_tags("JPEG", {}, b"UNICODE\0" + INFOTEXT.encode("utf-16"))),
    "A1111 utf-16 big marked": ("a1111", with_tags("WEBP", {}, b"UNICODE\0\xfe\xff" + INFOTEXT.encode("utf-16-be"))),
    "A1111 utf-8 marked": ("a1111", with_tags("JPEG", {}, b"UNICODE\0" + INFOTEXT.encode("utf-8-sig"))),
    "A1111 zeros marked": ("a1111", with_tags("JPEG", {}, bytes(8) + INFOTEXT.encode("utf-8-sig"))),
    "A1111 jpeg comment marked": ("a1111", save(PICTURE, "JPEG", comment=INFOTEXT.encode("utf-16"))),
    "NovelAI jpeg": ("novelai", save(PICTURE, "JPEG", comment=json.dumps(NOVEL_WEBP))),
    "NovelAI webp": ("novelai", with_tags("WEBP", {0x0131: "xl"}, b"ASCII\0\0\0" + json.dumps(NOVEL_WEBP).encode())),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_otherwise_is_read_back(name: str) -> None:
    tool, data = CASES[name]
    found = read_tool(data, "x.png")
    assert (found.tool, found.problem, found.says.prompt, dict(found.says.facts)) == (tool, None, PROMPT, SAID)


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_a_jpeg_of_a_png_of_novelai_has_its_comment_alone(ensure_ascii: bool) -> None:
    comment = json.dumps(NOVEL, ensure_ascii=ensure_ascii)
    found = read_tool(save(PICTURE, "JPEG", comment=comment.encode()), "x.jpg")
    without = {key: value for key, value in SAID.items() if key != "model"}
    assert (found.tool, found.problem, found.says.prompt, dict(found.says.facts)) == ("novelai", None, PROMPT, without)


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
@pytest.mark.parametrize("text", ["Created with GIMP", "{", "{}", '{"prompt": "a", "seed": 1}', "File: a\nSize: 1"])
def test_a_comment_of_another_program_is_nobodys(kind: str, text: str) -> None:
    found = read_tool(save(PICTURE, kind, comment=text.encode()), "x")
    assert (found.tool, found.problem) == (None, None)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "AVIF"])
def test_a_comment_that_is_cut_anywhere_breaks_nothing(kind: str) -> None:
    if kind == "AVIF":
        data = with_tags("AVIF", {}, b"UNICODE\0" + INFOTEXT.encode("utf-16-be"))
    else:
        data = save(PICTURE, kind, comment=INFOTEXT.encode())
    whole = read_tool(data, "x")
    for end in range(len(data)):
        found = read_tool(data[:end], "x")
        assert found.tool is None or found == whole


@pytest.mark.parametrize("text", ["{a camera", '{"prompt": "class_type"}', '{"Software": "NovelAI-like"}'])
def test_a_comment_of_nobody_is_nobodys(text: str) -> None:
    found = read_tool(with_tags("JPEG", {0x010F: "Prompt: none", 0x010E: text}, b"ASCII\0\0\0" + text.encode()), "x")
    assert (found.tool, found.problem) == (None, None)


def infotext(text: str) -> bytes:
    info = PngInfo()
    info.add_text("parameters", text)
    return save(PICTURE, "PNG", pnginfo=info)


@pytest.mark.parametrize("seed", [2**63, 2**64 - 1])
def test_a_seed_that_no_column_holds_is_told_and_the_rest_is_read(seed: int) -> None:
    graph = {**COMFY, "3": {**COMFY["3"], "inputs": {**SAMPLER, "negative": ["7", 0], "seed": seed}}}
    said = {key: value for key, value in SAID.items() if key != "seed"}
    for data in (png(prompt=graph), infotext(INFOTEXT.replace("Seed: 7", f"Seed: {seed}"))):
        found = read_tool(data, "x.png")
        words = f"{found.tool}: its seed {seed} is more than 9223372036854775807, the most that is kept"
        assert (found.problem, found.says.prompt, dict(found.says.facts)) == (words, PROMPT, said)


@pytest.mark.parametrize(
    ("pairs", "facts"),
    [
        ("", {}),
        ("\nSampler: Euler, CFG scale: 6.5, Seed: 7", {"sampler": "Euler", "guidance": 6.5, "seed": 7}),
        ("\nSeed: 7, Model: xl", {"seed": 7, "model": "xl"}),
    ],
)
def test_an_infotext_without_steps_is_read(pairs: str, facts: dict[str, Any]) -> None:
    for negative in ("", f"\nNegative prompt: {NEGATIVE}"):
        text = f"{PROMPT}{negative}{pairs}"
        found = read_tool(infotext(text), "x.png")
        assert (found.tool, found.problem, found.says.prompt) == ("a1111", None, PROMPT)
        assert dict(found.says.facts) == {"negative_prompt": NEGATIVE if negative else "", **facts}
        beside = read_tool(with_tags("JPEG", {}, b"UNICODE\0" + text.encode("utf-16-be")), "x.jpg")
        is_known = bool(negative or pairs)  # of a comment that is a text alone nobody knows what it is
        assert beside == (found if is_known else ToolReading(None, ToolSays()))


def test_parameters_that_are_a_text_alone_stand_behind_a_graph() -> None:
    info = PngInfo()
    info.add_text("parameters", "of a saver")
    info.add_text("prompt", GRAPH)
    found = read_tool(save(PICTURE, "PNG", pnginfo=info), "x.png")
    assert (found.tool, found.says.prompt) == ("comfyui", PROMPT)
