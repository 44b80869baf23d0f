"""What programs hide in the transparency of a picture is read back; what is damaged there is a reason."""

import gzip
import io
import json

import pytest
from image_bytes import save
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diptych.generate.imported.tools import read_tool
from diptych.generate.imported.tools.hidden import hidden_texts

PROMPT = 'a (red:1.2) boat,\nat "sea": 港'
INFOTEXT = f"{PROMPT}\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 64x48"
COMMENT = {"prompt": PROMPT, "uc": "fog", "seed": 9, "steps": 28, "sampler": "k_euler", "scale": 5.0}
NOVEL = {
    "Software": "NovelAI",
    "Source": "V4",
    "Description": "x",
    "Comment": json.dumps(COMMENT),
    "Generation time": 3,
}


def spelt(mark: bytes, body: bytes, bits: int | None = None) -> bytes:
    return mark + (8 * len(body) if bits is None else bits).to_bytes(4, "big") + body


def hiding(message: bytes, *, size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a PNG whose alpha spells a message, pixel by pixel, down each column."""
    image = Image.linear_gradient("L").resize(size).convert("RGBA")
    bits = [byte >> (7 - place) & 1 for byte in message for place in range(8)]
    for number, bit in enumerate(bits[: size[0] * size[1]]):
        column, row = divmod(number, size[1])
        image.putpixel((column, row), (*image.getpixel((column, row))[:3], 254 | bit))  # type: ignore[index]
    return save(image, "PNG")


def packed(text: str) -> bytes:
    return spelt(b"stealth_pngcomp", gzip.compress(text.encode()))


def test_novelai_is_read_from_the_transparency_alone() -> None:
    found = read_tool(hiding(packed(json.dumps(NOVEL))), "x.png")
    assert (found.tool, found.problem, found.says.prompt) == ("novelai", None, PROMPT)
    of_comment = {"negative_prompt": "fog", "seed": 9, "steps": 28, "sampler": "k_euler", "guidance": 5.0}
    assert dict(found.says.facts) == of_comment | {"model": "V4"}


@pytest.mark.parametrize("message", [packed(INFOTEXT), spelt(b"stealth_pnginfo", INFOTEXT.encode())])
def test_an_infotext_is_read_from_the_transparency(message: bytes) -> None:
    found = read_tool(hiding(message), "x.png")
    assert (found.tool, found.says.prompt, found.says.facts["seed"]) == ("a1111", PROMPT, 5)


def test_what_the_chunks_say_goes_before_what_is_hidden() -> None:
    info = PngInfo()
    info.add_text("parameters", "a green boat\nSteps: 1, Seed: 2, Size: 1x1")
    image = Image.open(io.BytesIO(hiding(packed(INFOTEXT))))
    assert read_tool(save(image, "PNG", pnginfo=info), "x").says.prompt == "a green boat"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (spelt(b"stealth_pngcomp", b"no gzip"), "stealth_pngcomp: Error -3"),
        (spelt(b"stealth_pngcomp", gzip.compress(INFOTEXT.encode())[:-20]), "stealth_pngcomp: the gzip is cut"),
        (spelt(b"stealth_pngcomp", gzip.compress(bytes(9 << 20))), "stealth_pngcomp: more than 8 MiB of text"),
        (spelt(b"stealth_pnginfo", b"a", bits=2**32 - 1), "stealth_pnginfo: 365 of 536,870,911 bytes are there"),
        (spelt(b"stealth_pnginfo", b'{"Software": '), "hidden texts: "),
    ],
    ids=["no gzip", "cut", "bomb", "longer than the picture", "no object"],
)
def test_a_damaged_hidden_text_is_a_reason(message: bytes, said: str) -> None:
    size = (128, 640) if len(message) > 400 else (64, 48)
    found = read_tool(hiding(message, size=size), "x")
    assert (found.problem or "").startswith(said)
    assert found.says.prompt is None


@pytest.mark.parametrize(
    "data", [hiding(b""), hiding(b"stealth"), hiding(packed(INFOTEXT))[:-40], b"\x89PNG\r\n\x1a\n"]
)
def test_a_picture_that_hides_nothing_or_does_not_decode_has_no_hidden_texts(data: bytes) -> None:
    assert hidden_texts(data) == {}


def test_transparency_with_no_room_for_a_mark_hides_nothing() -> None:
    assert hidden_texts(hiding(b"", size=(3, 3))) == {}
