import numpy as np
import PIL.Image
from image_bytes import linear_profile, pixels, save
from PIL import ImageCms


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
