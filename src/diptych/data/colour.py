"""What the values of a picture mean as colours: from what its file says of them to sRGB. Decides nothing else."""

import io

import PIL.Image
from PIL import ImageCms

_SRGB_NAMES = {"GIMP built-in sRGB", "c2", "sRGB", "sRGB IEC61966-2.1", "sRGB built-in"}  # no transform needed


def to_srgb(image: PIL.Image.Image, icc: bytes) -> PIL.Image.Image:
    """Return the image as RGB in sRGB, by its colour profile where there is a sound one that fits its channels."""
    space = {"CMYK": "CMYK", "L": "GRAY", "RGB": "RGB"}.get(image.mode)
    if icc and space:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            fits = profile.profile.xcolor_space.strip() == space
            if fits and ImageCms.getProfileDescription(profile).strip() not in _SRGB_NAMES:
                target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
                intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
                transform = ImageCms.ImageCmsTransform(profile, target, image.mode, "RGB", intent, flags=flags)
                return transform.apply(image)
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # a broken profile says nothing about the colours, and nothing against the picture
    return image if image.mode == "RGB" else image.convert("RGB")
