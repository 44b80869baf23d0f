"""The middle square of a picture at a fixed size, as FID of generated images of COCO and ImageNet takes its references.

Halved with a box filter while it is twice too large, then resized with Pillow's bicubic and cropped, so that no pixel
is skipped. Source: ``center_crop_arr`` of ``image_datasets.py`` in openai/guided-diffusion (Dhariwal and Nichol 2021),
which most programs that prepare reference images have taken over.
"""

from diptych.data.images import Image

BICUBIC, BOX = 3, 4  # PIL.Image.Resampling; the decoder alone imports PIL
SAID = "middle square: halved by Pillow's box filter while twice too large, then Pillow bicubic"


def centre_cropped(image: Image, side: int) -> Image:
    """Return the middle square of an RGB picture, ``side`` pixels wide; a smaller one is made larger."""
    while min(image.size) >= 2 * side:
        image = image.resize((image.width // 2, image.height // 2), resample=BOX)
    scale = side / min(image.size)
    width, height = (round(length * scale) for length in image.size)
    image = image.resize((width, height), resample=BICUBIC)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))
