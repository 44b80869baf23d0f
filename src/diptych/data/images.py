"""THE image decoder: bytes to RGB pixels, or a DecodeError with one of eight codes.

It decides what a picture looks like: first frame, upright, in sRGB, opaque, 8 bits. It does not resize or judge.

A PIL plugin is handed only what makes pixels. Orientation and colour profile are read here and all other metadata of
JPEG, PNG and TIFF is cut off first, because PIL parses it eagerly, lets damaged metadata spoil a sound picture, and
warns through ``warnings``, whose filters belong to the whole process: no decoding thread can silence them for itself.
For the same reason plugins are called directly, not through ``PIL.Image.open``, whose limit on pixels is a warning.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import PIL.Image
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    ImageStat,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from diptych.data.colour import SrgbPicture, to_srgb
from diptych.data.colour_signals import ColourSignal, exif_signal, heif_signal, png_signal
from diptych.data.containers import (
    Essentials,
    avif_essentials,
    exif_orientation,
    gif_essentials,
    jpeg_essentials,
    jpeg_head,
    png_essentials,
    pnm_essentials,
    tiff_essentials,
)
from diptych.data.pixel_limit import MAX_PIXELS
from diptych.data.wide_samples import to_8_bits
from diptych.errors import DecodeError, install_command
from diptych.shortage import has_memory

Image: TypeAlias = PIL.Image.Image

DECODE_CODES: dict[str, str] = {
    "bad_dimensions": "the header gives a side of no pixels",
    "corrupt": "a known format whose content is damaged, or of a kind that its decoder does not read",
    "empty": "no bytes at all",
    "not_an_image": "the bytes are no image format (a web page, text, JSON, noise)",
    "svg": "vector graphics, which have no pixels of their own",
    "too_many_pixels": "more pixels than allowed, or more memory than there is",
    "truncated": "the file ends before the picture does",
    "unsupported": "an image format that this decoder, or this installation, does not read",
}
TONE_MAP = "tone_map"  # the key of a decoded image's info that says which range it was mapped from: none, pq or hlg
FAINT = 2  # levels of 255 by which a picture has to differ from black, as a standard deviation, to be seen there
CLEARER = 2  # times as well a picture has to be seen on black
DECODE_BYTES = 12  # that decoding takes for a pixel: as decoded, as converted, as returned
MAX_SLOW_PIXELS = 2**24  # of the rare variants of BMP and PNM that PIL decodes in Python, about a second per million

_ARCHIVE = rb"PK\x03\x04|\x1f\x8b\x08|7z\xbc\xaf|Rar!|.{257}ustar"  # zip, gzip, 7z, rar, tar
# DDS, EPS (PIL would start Ghostscript), ICO, JPEG XL, JPEG XR, OpenEXR, PSD, QOI.
_UNREAD = rb"DDS |%!PS|\xc5\xd0\xd3\xc6|\0\0[\x01\x02]\0|\xff\x0a|\0\0\0\x0cJXL |II\xbc|v/1\x01|8BPS|qoif"


class ImageInfo(NamedTuple):
    """What a sound image file holds: the name of its format and its upright size in pixels."""

    format: str
    width: int
    height: int


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Return the picture as an RGB image: uint8 sRGB, upright, first frame, opaque, no metadata.

    Transparency is laid on white, as pages show it, but on black where the picture is seen there twice as well:
    different white icons stay different pictures.

    Reads AVIF, BMP, GIF, HEIC (with the extra ``heic``), JPEG, JPEG 2000, PNG, PNM, TIFF and WebP. 16-bit samples keep
    their high byte. Other wide samples have no fixed white: floats within [0, 1] are taken as such, all else is
    stretched from its minimum to its maximum. Colours are converted by an embedded profile (relative colorimetric,
    black point compensation; a broken one, or one that does not fit the channels, is ignored) or by what else the file
    says, see ``diptych.data.colour``; PQ and HLG are tone-mapped, which ``info["tone_map"]`` says.
    ``max_pixels`` limits width times height, judged from the header.

    Raises:
        DecodeError: With a code of ``DECODE_CODES``.
        MemoryError: If the machine has no memory left for any picture; no other exception leaves this function.
    """
    name = _identify(data)
    with _blaming(name, data):
        image, orientation, icc, signal = _open(name, data, max_pixels)
        image.load()
        opaque, tone_map = _opaque(image, icc, signal)
        picture = _upright(opaque, orientation)
        if picture is image and name not in {"jpeg", "png"}:
            picture = image.copy()  # the other plugins would keep the file or their decoder alive
        picture.info = {TONE_MAP: tone_map}
        return picture


def inspect(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Return format and upright size of a file whose body decodes to the end.

    Fails where ``decode`` fails, for less work: a JPEG is decoded to an eighth of its size, and nothing is converted.

    Raises:
        DecodeError: As ``decode`` does, with the same code.
    """
    name = _identify(data)
    with _blaming(name, data):
        image, orientation, *_ = _open(name, data, max_pixels)
        width, height = image.size
        if name == "jpeg":
            image.draft("L", (1, 1))
        image.load()
        return ImageInfo(name, height, width) if 5 <= orientation <= 8 else ImageInfo(name, width, height)


def glance(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Return format and upright size of a file that looks whole, for as little work as that takes.

    A JPEG that ends with its end marker is not decoded: libjpeg passes over damage in its body anyway, so that decoding
    would hardly tell more. All else is left to ``inspect``. What then fails to decode fails where pixels are wanted.

    Raises:
        DecodeError: As ``inspect`` does.
    """
    name = _identify(data)
    if name == "jpeg" and not _lacks_its_end(name, data):
        with _blaming(name, data):
            size, exif = jpeg_head(data)
            _check_size(size, max_pixels)
            if size:
                width, height = size
                turned = bool(exif) and 5 <= exif_orientation(exif) <= 8
                return ImageInfo(name, height, width) if turned else ImageInfo(name, width, height)
    return inspect(data, max_pixels=max_pixels)


def _identify(data: bytes) -> str:
    """Return the format that the head of the bytes shows."""
    if not data:
        raise DecodeError("empty", "no bytes")
    head = data[:4096]
    for name, (pattern, _, _) in _FORMATS.items():
        if re.match(pattern, head, re.DOTALL):
            return name
    if re.match(_UNREAD, head):
        raise DecodeError("unsupported", f"an image that starts with {data[:12]!r} is not read")
    if re.match(rb"(\xef\xbb\xbf)?\s*(<[?!][^>]*>\s*|\]>\s*)*<(\w+:)?svg[\s>]", head, re.IGNORECASE):
        raise DecodeError("svg", "vector graphics")
    packed = "an archive, to be unpacked: " if re.match(_ARCHIVE, head, re.DOTALL) else ""
    raise DecodeError("not_an_image", f"{packed}starts with {data[:12]!r}")


@contextmanager
def _blaming(name: str, data: bytes) -> Iterator[None]:
    """Turn whatever a decoder throws at hostile bytes into a DecodeError: one sample ends here, with its reason."""
    try:
        yield
    except DecodeError:
        raise
    except (MemoryError, PIL.Image.DecompressionBombError) as error:
        if isinstance(error, MemoryError) and not has_memory(DECODE_BYTES * MAX_PIXELS):
            raise  # no sound picture of the largest size could be decoded either: the file is not to blame
        raise DecodeError("too_many_pixels", f"{name}: {error or 'out of memory'}") from error
    except Exception as error:
        cut = re.search(r"truncated|end of file|\beof\b|a buffer|not enough|too small|read full", str(error), re.I)
        code = "truncated" if cut or _lacks_its_end(name, data) else "corrupt"
        raise DecodeError(code, f"{name}: {error or type(error).__name__}") from error


def _lacks_its_end(name: str, data: bytes) -> bool:
    """Return whether the container promises more bytes. Asked only of a file that did not decode."""
    if name == "webp":
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    last = {"gif": b";", "jpeg": b"\xff\xd9", "jpeg2000": b"\xff\xd9", "png": b"IEND\xaeB`\x82"}.get(name, b"")
    return not data.endswith(last) and not data.rstrip(b"\0").endswith(last)


class _OpenedImage(NamedTuple):
    """An image whose pixels are not decoded yet, its orientation (upright unless 2 to 8) and what its colours mean."""

    image: ImageFile.ImageFile
    orientation: int
    icc: bytes
    signal: ColourSignal | None


def essentials_of(data: bytes) -> tuple[str, Essentials]:
    """Return the name of the format of a file that decodes, and what of its bytes a plugin is handed.

    Raises:
        DecodeError: If the head of the bytes is of no format that is read, or its structure is damaged.
    """
    name = _identify(data)
    with _blaming(name, data):
        return name, _FORMATS[name][2](data)


def _open(name: str, data: bytes, max_pixels: int) -> _OpenedImage:
    _, plugin, keep_essentials = _FORMATS[name]
    plugin, essentials = plugin or _heif_plugin(), keep_essentials(data)
    _check_size(essentials.size, max_pixels)
    image = plugin(io.BytesIO(essentials.data))
    slow = image.tile and image.tile[0][0] in {"bmp_rle", "ppm", "ppm_plain"}
    _check_size(image.size, min(max_pixels, MAX_SLOW_PIXELS) if slow else max_pixels)
    # Of a TIFF, PIL leaves missing strips black, and decodes anew each strip that is listed again.
    boxes = [tile[1] for tile in image.tile if tile[1] and name == "tiff"]
    area = sum((right - left) * (low - high) for left, high, right, low in boxes)
    if boxes and not 1 <= area / (image.size[0] * image.size[1]) <= 8:
        raise DecodeError("corrupt", f"tiff: {len(boxes)} strips of {area} pixels do not make the picture")
    exif = essentials.exif or image.info.get("exif") or b""
    orientation = 1 if name == "heic" else exif_orientation(exif)  # libheif has turned the picture already
    signal = _SIGNALS[name](data) if name in _SIGNALS else exif_signal(exif)
    return _OpenedImage(image, orientation, essentials.icc or image.info.get("icc_profile") or b"", signal)


def _heif_plugin() -> Any:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise DecodeError("unsupported", f"HEIC needs: {install_command('heic')}") from error
    return HeifImageFile


def _check_size(size: tuple[int, int] | None, max_pixels: int) -> None:
    if size and min(size) <= 0:
        raise DecodeError("bad_dimensions", f"{size[0]} x {size[1]} pixels")
    if size and size[0] * size[1] > max_pixels:
        raise DecodeError("too_many_pixels", f"{size[0]} x {size[1]} pixels, more than {max_pixels}")


def _opaque(image: Image, icc: bytes, signal: ColourSignal | None) -> SrgbPicture:
    """Return the image as RGB in sRGB, with its transparency laid on white or black."""
    image, alpha = to_8_bits(image), None
    if image.has_transparency_data:
        grey = image.mode in {"1", "L", "LA", "La"}
        image = image.convert("LA" if grey else "RGBA")
        image, alpha = image.convert("L" if grey else "RGB"), image.getchannel("A")
    found = to_srgb(image.convert("RGB") if image.mode == "P" else image, icc, signal)
    return found if alpha is None else found._replace(image=_on_background(found.image, alpha))


def _on_background(image: Image, alpha: Image) -> Image:
    """Lay a picture on white, or on black where it is seen there twice as well.

    How well is the standard deviation of all values. A dark dot or a shadow makes no white icon seen on white, and two
    copies of a picture stay on one ground unless their colours lie where the two grounds part, at a grey of 170.
    """
    on_white = PIL.Image.composite(image, PIL.Image.new("RGB", image.size, "white"), alpha)
    on_black = PIL.Image.composite(image, PIL.Image.new("RGB", image.size, "black"), alpha)
    seen = _variance(on_black)
    return on_black if seen > FAINT**2 and CLEARER**2 * _variance(on_white) < seen else on_white


def _variance(image: Image) -> float:
    """Return the mean variance of red, green and blue."""
    return float(sum(ImageStat.Stat(image).var) / 3)


def _upright(image: Image, orientation: int) -> Image:
    """Return the image turned as its orientation asks (EXIF 2.32, section 4.6.4, tag 274)."""
    turn = PIL.Image.Transpose
    turns = [turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM, turn.TRANSPOSE]
    turns += [turn.ROTATE_270, turn.TRANSVERSE, turn.ROTATE_90]
    return image.transpose(turns[orientation - 2]) if 2 <= orientation <= 8 else image


_Plugin: TypeAlias = Callable[[io.BytesIO], ImageFile.ImageFile]

# Format -> what its head matches (the first match decides), its plugin (of an extra: imported when met), essentials.
_FORMATS: dict[str, tuple[bytes, _Plugin | None, Callable[[bytes], Essentials]]] = {
    "avif": (rb".{4}ftyp(avi[fs]|m[is]f1.{4,64}?avi[fs])", AvifImagePlugin.AvifImageFile, avif_essentials),
    "bmp": (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImagePlugin.BmpImageFile, Essentials),
    "gif": (rb"GIF8[79]a", GifImagePlugin.GifImageFile, gif_essentials),
    "heic": (rb".{4}ftyp(he[iv][cxms]|m[is]f1)", None, Essentials),
    "jpeg": (rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile, jpeg_essentials),
    "jpeg2000": (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", Jpeg2KImagePlugin.Jpeg2KImageFile, Essentials),
    "png": (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile, png_essentials),
    "pnm": (rb"P[1-6][\s#]", PpmImagePlugin.PpmImageFile, pnm_essentials),
    "tiff": (rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile, tiff_essentials),
    "webp": (rb"RIFF.{4}WEBP", WebPImagePlugin.WebPImageFile, Essentials),
}

# Where a format says what its colours are beside a profile; the others say it in EXIF.
_SIGNALS: dict[str, Callable[[bytes], ColourSignal | None]] = {
    "avif": heif_signal,
    "heic": heif_signal,
    "png": png_signal,
}
