"""What seven programs write into their images is read back; what is hostile is a reason."""

import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from image_bytes import png_chunk, save, with_chunks
from made_elsewhere import imported, rows_of
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import TOOLS, read_tool
from diptych.lookup import import_attribute

PICTURE = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
PROMPT = 'a (red:1.2) boat,\nat "sea": 港'
NEGATIVE = "blurry, low\nquality"


def png(texts: Mapping[str, str]) -> bytes:
    """Return a picture with texts as Pillow writes them: tEXt where it can be, else iTXt."""
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return save(PICTURE, "PNG", pnginfo=info)


def with_comment(kind: str, text: str, *, order: str = "be") -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode(f"utf-16-{order}")
    return save(PICTURE, kind, exif=exif.tobytes())


INFOTEXT = (
    f"{PROMPT}\nNegative prompt: {NEGATIVE}\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 12345678901, Size: 24x16, "
    'Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Lora hashes: "a: 1, b: 2", Version: v1.10.1'
)
OF_INFOTEXT = {
    "negative_prompt": NEGATIVE,
    "seed": 12345678901,
    "steps": 20,
    "sampler": "DPM++ 2M Karras",
    "guidance": 7.5,
    "model": "sd_xl_base_1.0",
}
COMFY = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 25,
            "cfg": 6.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["10", 0],
            "positive": ["20", 0],
            "negative": ["20", 1],
            "latent_image": ["5", 0],
        },
    },
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 24, "height": 16, "batch_size": 1}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "x.safetensors", "model": ["4", 0], "clip": ["4", 1]}},
    "20": {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {"positive": ["6", 0], "negative": ["7", 0], "strength": 1},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": NEGATIVE, "clip": ["10", 1]}},
    "8": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": PROMPT}},
    "30": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 99,
            "steps": 5,
            "cfg": 1,
            "sampler_name": "ddim",
            "scheduler": "normal",
            "denoise": 0.3,
            "model": ["4", 0],
            "positive": ["7", 0],
            "negative": ["7", 0],
            "latent_image": ["31", 0],
        },
    },
    "31": {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0]}},
}
OF_COMFY = {"negative_prompt": NEGATIVE, "seed": 7, "steps": 25, "sampler": "euler karras", "guidance": 6.5}
OF_COMFY |= {"model": "sd_xl_base_1.0.safetensors"}
FLUX = {
    "1": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["2", 0],
            "guider": ["3", 0],
            "sampler": ["4", 0],
            "sigmas": ["5", 0],
            "latent_image": ["9", 0],
        },
    },
    "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": ["12", 0]}},
    "3": {"class_type": "BasicGuider", "inputs": {"model": ["6", 0], "conditioning": ["7", 0]}},
    "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "5": {"class_type": "BasicScheduler", "inputs": {"model": ["6", 0], "scheduler": "simple", "steps": 20}},
    "6": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
    "7": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["8", 0]}},
    "8": {"class_type": "CLIPTextEncodeFlux", "inputs": {"clip_l": "", "t5xxl": PROMPT, "guidance": 9}},
    "9": {"class_type": "EmptySD3LatentImage", "inputs": {}},
    "12": {"class_type": "Seed", "inputs": {"seed": 41}},
}
SWARM = {
    "sui_image_params": {
        "prompt": PROMPT,
        "negativeprompt": NEGATIVE,
        "model": "OfficialStableDiffusion/sd_xl",
        "seed": 5,
        "steps": 20,
        "cfgscale": 7,
        "sampler": "euler",
        "width": 24,
    },
    "sui_extra_data": {"date": "2024-01-01"},
}
OF_SWARM = {"negative_prompt": NEGATIVE, "seed": 5, "steps": 20, "sampler": "euler", "guidance": 7.0}
OF_SWARM |= {"model": "OfficialStableDiffusion/sd_xl"}


def swarm(**changed: Any) -> bytes:
    said: dict[str, Any] = {**SWARM["sui_image_params"], **changed}
    return png({"parameters": json.dumps({**SWARM, "sui_image_params": said})})


FOOOCUS = {
    "prompt": PROMPT,
    "negative_prompt": NEGATIVE,
    "seed": "77",
    "steps": 30,
    "guidance_scale": 4,
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "base_model": "juggernautXL_v8",
    "version": "Fooocus v2.3.1",
}
OF_FOOOCUS = {
    "negative_prompt": NEGATIVE,
    "seed": 77,
    "steps": 30,
    "sampler": "dpmpp_2m_sde_gpu karras",
    "guidance": 4.0,
}
OF_FOOOCUS |= {"model": "juggernautXL_v8"}
INVOKE = {
    "positive_prompt": PROMPT,
    "negative_prompt": NEGATIVE,
    "seed": 3,
    "steps": 30,
    "scheduler": "dpmpp_2m_k",
    "cfg_scale": 7.5,
    "model": {"key": "x", "name": "SDXL base", "hash": "blake3:0"},
    "app_version": "5.0",
}
OF_INVOKE = {"negative_prompt": NEGATIVE, "seed": 3, "steps": 30, "sampler": "dpmpp_2m_k", "guidance": 7.5}
OF_INVOKE |= {"model": "SDXL base"}
FLAGS = "-s 50 -S 42 -W 512 -H 512 -C 7.5 -A k_lms"
OF_FLAGS = {"seed": 42, "steps": 50, "sampler": "k_lms", "guidance": 7.5}
NOVEL = {"prompt": PROMPT, "uc": NEGATIVE, "seed": 9, "steps": 28, "sampler": "k_euler", "scale": 5.0}
NOVEL |= {"noise_schedule": "karras"}
OF_NOVEL = {"negative_prompt": NEGATIVE, "seed": 9, "steps": 28, "sampler": "k_euler karras", "guidance": 5.0}
OF_NOVEL |= {"model": "Stable Diffusion XL C1E1DE52"}
JOB = "0123abcd-0123-4567-89ab-0123456789ab"

CASES: dict[str, tuple[str, bytes, str | None, dict[str, Any]]] = {
    "a1111 png": ("a1111", png({"parameters": INFOTEXT}), PROMPT, OF_INFOTEXT),
    "a1111 jpeg": ("a1111", with_comment("JPEG", INFOTEXT), PROMPT, OF_INFOTEXT),
    "a1111 webp": ("a1111", with_comment("WEBP", INFOTEXT), PROMPT, OF_INFOTEXT),
    "a1111 little": ("a1111", with_comment("JPEG", INFOTEXT, order="le"), PROMPT, OF_INFOTEXT),
    "a1111 crlf": ("a1111", png({"parameters": INFOTEXT.replace("\n", "\r\n")}), PROMPT, OF_INFOTEXT),
    "a1111 template": (  # as Dynamic Prompts writes it
        "a1111",
        png({"parameters": f"{INFOTEXT}\nTemplate: a {{red|blue}} boat,\nat sea\nNegative Template: fog"}),
        PROMPT,
        OF_INFOTEXT,
    ),
    "forge flux": (
        "a1111",
        png({"parameters": INFOTEXT.replace("CFG scale: 7.5", "CFG scale: 1, Distilled CFG Scale: 3.5")}),
        PROMPT,
        OF_INFOTEXT | {"guidance": 3.5},
    ),
    "comfyui": ("comfyui", png({"prompt": json.dumps(COMFY), "workflow": "{}"}), PROMPT, OF_COMFY),
    "comfyui flux": (
        "comfyui",
        png({"prompt": json.dumps(FLUX)}),
        PROMPT,
        {"seed": 41, "steps": 20, "sampler": "euler simple", "guidance": 3.5, "model": "flux1-dev.safetensors"},
    ),
    "swarmui": ("swarmui", png({"parameters": json.dumps(SWARM)}), PROMPT, OF_SWARM),
    "swarmui flux": ("swarmui", swarm(cfgscale=1, fluxguidancescale=3.5), PROMPT, OF_SWARM | {"guidance": 3.5}),
    "swarmui schedule": ("swarmui", swarm(scheduler="karras"), PROMPT, OF_SWARM | {"sampler": "euler karras"}),
    "swarmui old": ("swarmui", swarm(sampler=None, comfyuisampler="ddim"), PROMPT, OF_SWARM | {"sampler": "ddim"}),
    "swarmui jpeg": ("swarmui", with_comment("JPEG", json.dumps(SWARM)), PROMPT, OF_SWARM),
    "fooocus": ("fooocus", png({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}), PROMPT, OF_FOOOCUS),
    "fooocus a1111": ("fooocus", png({"parameters": INFOTEXT, "fooocus_scheme": "a1111"}), PROMPT, OF_INFOTEXT),
    "invokeai": ("invokeai", png({"invokeai_metadata": json.dumps(INVOKE)}), PROMPT, OF_INVOKE),
    "invokeai flux": (  # as its node for FLUX writes it, with both kinds of guidance
        "invokeai",
        png({"invokeai_metadata": json.dumps({**INVOKE, "guidance": 3.5, "cfg_scale": 1.0})}),
        PROMPT,
        OF_INVOKE | {"guidance": 3.5},
    ),
    "invokeai old": (
        "invokeai",
        png(
            {
                "sd-metadata": json.dumps(
                    {"model_weights": "sd-1.4", "image": {"prompt": [{"prompt": "a", "weight": 1}], "seed": 1}}
                )
            }
        ),
        "a",
        {"seed": 1, "model": "sd-1.4"},
    ),
    "invokeai dream": ("invokeai", png({"Dream": f'"a \\"red\\" boat" {FLAGS}'}), 'a "red" boat', OF_FLAGS),
    "invokeai dream, quotes": ("invokeai", png({"Dream": f'"a "red" boat" {FLAGS}'}), 'a "red" boat', OF_FLAGS),
    "invokeai dream, bare": ("invokeai", png({"Dream": f"a red-ish boat {FLAGS}"}), "a red-ish boat", OF_FLAGS),
    "invokeai dream, old": ("invokeai", png({"dream": '"a boat" -s50 -S42 -W512 -C7.5 -Ak_lms'}), "a boat", OF_FLAGS),
    "novelai": (
        "novelai",
        png({"Software": "NovelAI", "Source": OF_NOVEL["model"], "Description": "x", "Comment": json.dumps(NOVEL)}),
        PROMPT,
        OF_NOVEL,
    ),
    "midjourney": (
        "midjourney",
        png(
            {"Description": f"a red boat, at sea --ar 2:1 --no fog, rain --seed 7 --v 6.1 Job ID: {JOB}", "Author": "x"}
        ),
        "a red boat, at sea",
        {"negative_prompt": "fog, rain", "seed": 7, "model": "Midjourney 6.1"},
    ),
    "midjourney with dashes in its prompt": (
        "midjourney",
        png({"Description": f"a boat --- at sea -- far out --no fog --- or rain --seed 7 --v 6.1 Job ID: {JOB}"}),
        "a boat --- at sea -- far out",
        {"negative_prompt": "fog --- or rain", "seed": 7, "model": "Midjourney 6.1"},
    ),
}


def test_each_tool_of_the_table_has_a_case() -> None:
    assert {tool for tool, *_ in CASES.values()} == set(TOOLS) - {"diptych"}, "whose way there and back is an export's"
    assert all(callable(import_attribute(target)) for target in TOOLS.values())


@pytest.mark.parametrize("name", CASES)
def test_what_a_program_writes_is_read_back(name: str) -> None:
    tool, data, prompt, facts = CASES[name]
    found = read_tool(data, "x.png")
    assert (found.tool, found.problem, found.says.prompt) == (tool, None, prompt)
    assert dict(found.says.facts) == facts


@pytest.mark.parametrize("name", [f"user1_a_red_boat_{JOB}_2.png", f"session_photo_{JOB}.png"])
def test_a_name_alone_says_no_program(name: str) -> None:
    found = read_tool(png({}), f"in/{name}")
    assert (found.tool, found.says.prompt, dict(found.says.facts)) == (None, None, {})


@pytest.mark.parametrize("compressed", [True, False])
def test_compressed_texts_and_texts_behind_the_picture_are_read(compressed: bool) -> None:
    info = PngInfo()
    info.add_text("parameters", INFOTEXT.encode("ascii", "replace").decode(), zip=compressed)
    assert read_tool(save(PICTURE, "PNG", pnginfo=info), "x").tool == "a1111"
    plain = save(PICTURE, "PNG")
    behind = plain[:-12] + png_chunk(b"iTXt", b"parameters\0\0\0\0\0" + INFOTEXT.encode()) + plain[-12:]
    assert read_tool(behind, "x").says.prompt == PROMPT


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_says_nothing_is_nobodys(kind: str) -> None:
    found = read_tool(save(PICTURE, kind), "a red boat.png")
    assert (found.tool, found.says.prompt, dict(found.says.facts), found.problem) == (None, None, {}, None)


DEEP = '{"a":' * 100_000
BOMB = b"parameters\0\0" + zlib.compress(b"a" * 50_000_000, 9)
LOOP = {"1": {"class_type": "KSampler", "inputs": {"seed": ["1", 0], "positive": ["2", 0], "latent_image": ["1", 0]}}}
LOOP["2"] = {"class_type": "X", "inputs": {"positive": ["2", 0], "negative": ["2", 0]}}
HOSTILE: dict[str, tuple[bytes, str]] = {
    "huge prompt": (
        png({"parameters": "a" * 150_000 + "\nSteps: 1, Seed: 2, Size: 1x1"}),
        "a prompt of 150,000 letters",
    ),
    "huge infotext": (png({"parameters": "a" * 300_000}), "an infotext of 300,000 letters"),
    "bomb": (with_chunks(save(PICTURE, "PNG"), zTXt=BOMB), "parameters: more than 8 MiB of text"),
    "not inflated": (with_chunks(save(PICTURE, "PNG"), zTXt=b"parameters\0\0abc"), "parameters: Error -3"),
    "deep": (png({"prompt": DEEP}), "comfyui: ValueError"),
    "deep swarm": (png({"parameters": f'{DEEP} "sui_image_params"'}), "swarmui: ValueError"),
    "half a character": (
        png({"parameters": json.dumps({**FOOOCUS, "prompt": "a \ud83d"}), "fooocus_scheme": "fooocus"}),
        "fooocus: ValueError: \\ud83d is half of a character",
    ),
    "not json": (png({"invokeai_metadata": "{oh"}), "invokeai: JSONDecodeError"),
    "many digits": (png({"invokeai_metadata": '{"seed": ' + "9" * 5000 + "}"}), "invokeai: ValueError"),
    "loop": (png({"prompt": json.dumps(LOOP)}), "comfyui: RecursionError"),
    "many nodes": (
        png({"prompt": json.dumps({str(number): {"class_type": "X", "inputs": {}} for number in range(10_001)})}),
        "a graph of 10,001 nodes",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_a_reason(name: str) -> None:
    data, said = HOSTILE[name]
    found = read_tool(data, "x")
    assert found.problem is not None
    assert said in found.problem
    assert (found.says.prompt, dict(found.says.facts)) == (None, {})


WRONG = [None, [], {}, True, "x" * 40, -1, 1e400, 10**30, [["a"], 0], "inf"]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
def test_what_is_of_a_wrong_type_is_not_said(wrong: Any) -> None:
    said = dict.fromkeys(INVOKE, wrong) | {"positive_prompt": "a", "model": {"name": [wrong]}}
    found = read_tool(png({"invokeai_metadata": json.dumps(said)}), "x")
    assert found.says.prompt == "a"
    assert not {"seed", "steps", "model"} & found.says.facts.keys()
    graph = {"1": {"class_type": "KSampler", "inputs": dict.fromkeys(COMFY["3"]["inputs"], wrong)}}  # type: ignore[arg-type]
    found = read_tool(png({"prompt": json.dumps(graph)}), "x")
    assert (found.tool, found.says.prompt, found.problem) == ("comfyui", None, None)


@pytest.mark.parametrize(
    "text",
    [
        " " * 199_000 + "Steps",
        'a:"\\"' * 9_000,
        "ab " * 16_000,
        "a, " * 16_000 + ": ",
        "-" * 100_000 + " --x" * 10_000,
    ],
    ids=["spaces", "quotes", "words", "commas", "dashes"],
)
def test_no_text_takes_longer_to_read_than_tests_may(text: str) -> None:
    """A way through them that is quadratic takes minutes, which ends this by the time that a test has."""
    for key in ("parameters", "Description", "Dream"):
        read_tool(png({key: text, "Software": "NovelAI" if key == "Description" else ""}), "x")
        read_tool(png({key: f"{text} Job ID: {JOB}"}), "x")


def test_the_columns_of_an_import_say_what_the_images_say(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/0001.png").write_bytes(png({"parameters": INFOTEXT}))
    (tmp_path / "in/0002.jpg").write_bytes(with_comment("JPEG", INFOTEXT.replace("Seed: 12345678901", "Seed: 6")))
    (tmp_path / "in/0003.png").write_bytes(png({"prompt": DEEP}))
    facts = imported(tmp_path / "in", "--out", tmp_path / "out")
    assert facts["tools"] == {"a1111": 2, "not read": 1}
    rows = {row["file"]: row for row in rows_of(tmp_path / "out")}
    assert [(rows[name]["caption"], rows[name]["seed"], rows[name]["sample"]) for name in ("0001.png", "0002.jpg")] == [
        (PROMPT, 12345678901, 0),
        (PROMPT, 6, 1),
    ]
    assert (rows["0001.png"]["model"], rows["0001.png"]["sampler"]) == ("sd_xl_base_1.0", "DPM++ 2M Karras")
    assert (rows["0001.png"]["tool"], rows["0001.png"]["tool_prompt"]) == ("a1111", PROMPT)
    assert (rows["0003.png"]["tool_problem"] or "").startswith("comfyui: ValueError")
    assert (rows["0003.png"]["status"], rows["0003.png"]["caption"]) == ("ok", None)


def test_a_set_is_matched_by_the_text_that_the_image_says_and_the_users_model_goes_first(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"id": "boat", "prompt": PROMPT}))
    for number in range(2):
        (tmp_path / f"in/{number}.png").write_bytes(png({"parameters": INFOTEXT, "n": str(number)}))
    given = ("--prompts", tmp_path / "prompts.jsonl", "--model", "mine", "--out", tmp_path / "out")
    facts = imported(tmp_path / "in", *given)
    assert (facts["usable"], facts["flaws"]) == (2, [])
    assert {(row["prompt_id"], row["model"], row["seed"]) for row in rows_of(tmp_path / "out")} == {
        ("boat", "mine", 12345678901)
    }
    assert io.BytesIO(rows_of(tmp_path / "out")[0]["image"]["bytes"]).read() == (tmp_path / "in/0.png").read_bytes()
