"""The same values signalled in different ways are different colours, and come out in sRGB."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from image_bytes import linear_profile, pixels, save, with_chunks, with_nclx
from PIL import ImageCms

from diptych.data.images import decode

RED, GREEN = (200, 60, 60), (60, 200, 60)
# x, y of white, red, green and blue in 100,000ths, and the colorants of the ICC profiles of these spaces at D50.
SPACES: dict[str, tuple[tuple[int, ...], tuple[tuple[float, ...], ...]]] = {
    "Display P3": (
        (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
        ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)),
    ),
    "Adobe RGB": (
        (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000),
        ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    ),
    "ProPhoto": (
        (34567, 35850, 73470, 26530, 15960, 84040, 3660, 10),
        ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03135, 0.00009, 0.82489)),
    ),
}


def two_colours() -> PIL.Image.Image:
    image = PIL.Image.new("RGB", (16, 16), RED)
    image.paste(GREEN, (0, 8, 16, 16))
    return image


def shown(data: bytes) -> list[list[int]]:
    found = pixels(data)
    return [found[2, 2].tolist(), found[13, 13].tolist()]


def every_colour() -> PIL.Image.Image:
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    return PIL.Image.fromarray(grid)


def chrm(points: tuple[int, ...]) -> bytes:
    return struct.pack(">8I", *points)


def gama(gamma: float) -> bytes:
    return struct.pack(">I", round(100_000 / gamma))


def profile_of(space: str, gamma: float, name: bytes = b"own") -> bytes:
    whole = tuple(tuple(round(value * 65536) for value in row) for row in SPACES[space][1])
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return linear_profile(b"RGB ", whole, curve, name)


def test_a_picture_signalled_in_five_ways_is_five_pictures() -> None:
    plain = save(two_colours(), "PNG")
    codes = {"srgb": (1, 13), "p3": (12, 13), "pq": (9, 16), "hlg": (9, 18), "linear": (1, 8)}
    found = {name: shown(with_chunks(plain, cICP=bytes([*code, 0, 1]))) for name, code in codes.items()}
    assert found["srgb"] == [list(RED), list(GREEN)]
    assert found["p3"] == [[217, 42, 52], [0, 203, 11]]
    assert found["linear"] == [[229, 133, 133], [133, 229, 133]]
    assert len({str(colours) for colours in found.values()}) == 5
    maps = [decode(with_chunks(plain, cICP=bytes([*code, 0, 1]))).info["tone_map"] for code in codes.values()]
    assert maps == ["none", "none", "pq", "hlg", "none"]


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_codes_of_avif_and_heic_count_as_those_of_png(kind: str) -> None:
    codes = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")
    options = {
        "AVIF": {"subsampling": "4:4:4"},
        "HEIF": {"chroma": 444, "nclx_profile": dict(zip(codes, (1, 13, 6, 1), strict=True))},
    }
    plain = save(two_colours(), kind, quality=100, **options[kind])
    for code in ((1, 13), (12, 13), (9, 16), (9, 18), (1, 8)):
        expected = shown(with_chunks(save(two_colours(), "PNG"), cICP=bytes([*code, 0, 1])))
        assert np.abs(np.subtract(shown(with_nclx(plain, *code)), expected)).max() <= 9, code


@pytest.mark.reference
@pytest.mark.parametrize("gamma", [1.0, 563 / 256])
@pytest.mark.parametrize("name", SPACES)
def test_numbers_and_a_profile_that_say_the_same_give_the_same(name: str, gamma: float) -> None:
    profile = profile_of(name, gamma)
    profiled = pixels(save(every_colour(), "PNG", icc_profile=profile)).astype(int)
    told = pixels(with_chunks(save(every_colour(), "PNG"), gAMA=gama(gamma), cHRM=chrm(SPACES[name][0]))).astype(int)
    assert np.abs(profiled - told).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_camera_that_names_adobe_rgb_by_its_rule_alone_is_believed(kind: str) -> None:
    wide, options = two_colours(), {"WEBP": {"lossless": True}}.get(kind, {})
    exif = PIL.Image.Exif()
    plain = pixels(save(wide, kind, exif=exif, **options)).astype(int)
    camera = exif.get_ifd(0x8769)
    camera.update({0xA001: 65535, 0xA005: {1: "R03"}})
    told = pixels(save(wide, kind, exif=exif, **options)).astype(int)
    profiled = pixels(save(wide, kind, icc_profile=profile_of("Adobe RGB", 563 / 256), **options)).astype(int)
    assert np.abs(told - profiled).max() <= 3
    assert np.abs(told - plain).max() > 20
    camera[0xA001] = 1  # sRGB, by an editor that has converted it
    assert (pixels(save(wide, kind, exif=exif, **options)) == plain).all()
    camera[0xA001] = 65535
    camera[0xA005] = {1: "R98"}
    assert (pixels(save(wide, kind, exif=exif, **options)) == plain).all()


def test_a_profile_that_is_called_srgb_and_has_other_colours_is_converted() -> None:
    wide = save(two_colours(), "PNG", icc_profile=profile_of("Adobe RGB", 2.2, name=b"sRGB"))
    assert np.abs(np.subtract(shown(wide), [list(RED), list(GREEN)])).max() > 20


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (b"curv" + bytes(8), 188),
        (b"curv" + bytes(4) + struct.pack(">IH", 1, 256), 188),
        (b"para" + bytes(4) + struct.pack(">HHi", 0, 0, 65536), 188),
        (b"curv" + bytes(4) + struct.pack(">I3H", 3, 0, 32768, 65535), 188),
        (b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)), 128),
        (b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, 157286, 62128, 3408, 5072, 2651), 128),
        (b"curv" + bytes(4) + struct.pack(">I", 2**31), 128),
    ],
    ids=["linear", "gamma 1", "formula of gamma 1", "table", "gamma 2.2", "formula of sRGB", "damaged"],
)
def test_a_profile_that_is_called_srgb_is_believed_if_its_curve_is(curve: bytes, expected: int) -> None:
    grey = save(
        PIL.Image.new("RGB", (4, 4), (128,) * 3), "PNG", icc_profile=linear_profile(b"RGB ", curve=curve, name=b"sRGB")
    )
    assert pixels(grey)[0, 0].tolist() == pytest.approx([expected] * 3, abs=1)


def test_codes_that_specify_nothing_leave_the_profile_and_the_numbers_their_say() -> None:
    nothing = {"cICP": bytes([2, 2, 0, 1])}
    plain, profiled = (save(two_colours(), "PNG", **more) for more in ({}, {"icc_profile": linear_profile(b"RGB ")}))
    assert shown(with_chunks(profiled, **nothing)) == shown(profiled) != shown(plain)
    assert shown(with_chunks(plain, **nothing, gAMA=gama(1.0))) == shown(with_chunks(plain, gAMA=gama(1.0)))


def test_gamma_gives_light_and_one_near_that_of_srgb_changes_nothing() -> None:
    grey = save(PIL.Image.new("L", (4, 4), 128), "PNG")
    for gamma, expected in ((1.0, 188), (1.8, 146), (2.2, 128), (2.18, 128), (2.6, 113), (1000.0, 128), (1e-3, 128)):
        assert pixels(with_chunks(grey, gAMA=gama(gamma)))[0, 0].tolist() == [expected] * 3, gamma
    assert pixels(with_chunks(grey, gAMA=bytes(4)))[0, 0, 0] == 128


def test_the_first_of_what_a_png_says_counts() -> None:
    plain = save(two_colours(), "PNG")
    linear, p3 = {"gAMA": gama(1.0)}, {"cICP": bytes([12, 13, 0, 1])}
    profile = {"icc_profile": linear_profile(b"RGB ")}
    bright = shown(with_chunks(plain, **linear))
    assert shown(with_chunks(plain, **linear, sRGB=b"\0")) == [list(RED), list(GREEN)]
    assert shown(with_chunks(plain, **linear, **p3)) == shown(with_chunks(plain, **p3))
    assert shown(with_chunks(save(two_colours(), "PNG", **profile), gAMA=gama(2.6))) == bright
    assert shown(with_chunks(save(two_colours(), "PNG", **profile), **p3)) == shown(with_chunks(plain, **p3))
    assert shown(with_chunks(plain, cICP=bytes([12, 13, 1, 1]))) == [list(RED), list(GREEN)], "a PNG has no YCbCr"
    assert shown(with_chunks(plain, cHRM=bytes(32))) == [list(RED), list(GREEN)]


def test_codes_count_where_a_profile_is_broken() -> None:
    for icc, expected in ((b"noise" * 50, "pq"), (linear_profile(b"RGB "), "none")):
        data = with_nclx(save(two_colours(), "AVIF", quality=100, icc_profile=icc), 9, 16)
        assert decode(data).info["tone_map"] == expected


def test_values_of_narrow_range_are_spread() -> None:
    values = np.array([[0, 16, 235, 255]], np.uint8)
    data = with_chunks(save(PIL.Image.fromarray(values), "PNG"), cICP=bytes([1, 13, 0, 0]))
    assert pixels(data)[0, :, 0].tolist() == [0, 0, 255, 255]


def test_transparency_is_laid_on_white_after_colours_are_converted() -> None:
    clear = PIL.Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    clear.putpixel((1, 0), (60, 200, 60, 255))
    data = with_chunks(save(clear, "PNG"), cICP=bytes([12, 13, 0, 1]))
    assert pixels(data)[0].tolist() == [[255] * 3, [0, 203, 11]]


def test_large_pictures_are_converted_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_chunks(save(every_colour(), "PNG"), gAMA=gama(1.4), cHRM=chrm(SPACES["Adobe RGB"][0]))
    whole: npt.NDArray[Any] = pixels(data)
    monkeypatch.setattr("diptych.data.colour.STRIP_PIXELS", 40)
    assert (pixels(data) == whole).all()


def test_an_embedded_profile_is_converted_to_srgb_and_a_broken_or_foreign_one_ignored() -> None:
    grey, rgb = PIL.Image.new("L", (4, 4), 128), PIL.Image.new("RGB", (4, 4), (128, 128, 128))
    good = linear_profile(b"RGB ")
    for data in (
        *(save(rgb, kind, icc_profile=good) for kind in ("AVIF", "JPEG", "PNG", "TIFF", "WEBP")),
        save(grey, "TIFF", icc_profile=linear_profile(b"GRAY")),
    ):
        assert np.abs(pixels(data).astype(int) - 188).max() <= 1
    assert pixels(save(PIL.Image.new("RGBA", (4, 4), (128, 128, 128, 0)), "PNG", icc_profile=good)).min() == 255
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (good[:150], b"noise" * 50, linear_profile(b"GRAY"), linear_profile(b"CMYK"), srgb):
        for kind in ("JPEG", "PNG", "TIFF"):
            assert (pixels(save(rgb, kind, icc_profile=profile)) == 128).all()


def test_what_a_damaged_chunk_says_is_not_believed() -> None:
    plain = save(two_colours(), "PNG")
    damaged = bytearray(with_chunks(plain, gAMA=gama(1.0)))
    damaged[damaged.index(b"gAMA") + 8] ^= 1
    assert shown(bytes(damaged)) == shown(plain)
