"""Whether programs that have no more than Pillow open a picture, ``datasets`` among them.

``diptych.data.images`` decodes the bytes that make pixels and cuts all else off, so it also reads files that Pillow
refuses for their metadata: a profile of more than 1 MiB, a damaged EXIF block, a wrong checksum beside the picture.
"""

import io

import PIL.Image
from PIL import ExifTags, ImageOps

from diptych.data.images import essentials_of

NOT_PLAIN = "not_plain"  # the reason of a picture that decodes here, and that Pillow does not open


def opens_plainly(data: bytes) -> bool:
    """Return whether Pillow opens, loads and turns upright a file that ``diptych.data.images.decode`` decodes.

    It does what ``datasets`` does with a column of pictures. Pixels are decoded only where ``decode`` was given other
    bytes than these, those of a JPEG to an eighth of its size. HEIC, which Pillow does not read, is passed over.

    Pillow may warn through ``warnings``, whose filters belong to the whole process: they are the caller's.

    Args:
        data: A file that decodes.
    """
    name, essentials = essentials_of(data)
    if name == "heic":
        return True
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            if essentials.data != data:
                image.draft("L", (1, 1))  # only of a JPEG does it change anything
                image.load()
            if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
                ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # whatever a plugin throws at odd bytes, it throws at everybody else who opens them
        return False
    return True
