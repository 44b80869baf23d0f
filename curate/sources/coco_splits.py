"""Which folders of pictures a COCO file is about: captions_val2017.json about val2017, train_captions.json about train.

Splits number their pictures alike, so a name alone says nothing of whose caption it is. Decides by names alone; what
the file says of a picture is not looked at.
"""

import re
from collections.abc import Iterable

# Spellings of the splits. A year behind one is no part of it: captions_val.json is about val2017 where no val is.
# fmt: off
_SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}
# fmt: on
_KINDS = {"annotations", "caption", "captions", "coco", "data", "image", "images", "instances", "labels"}  # no splits


def folders_meant(stem: str, folders: Iterable[str]) -> set[str]:
    """Return those of the folders that the name of a file speaks of; none where it speaks of no folder that is there.

    Args:
        stem: The name of the file without its suffix.
        folders: Names of folders that hold pictures.

    >>> folders_meant("captions_val2017", ["train2017", "val2017", "val2014"])
    {'val2017'}
    >>> folders_meant("train", ["training_images", "valid"]), folders_meant("captions", ["train", "val"])
    ({'training_images'}, set())
    """
    names = {name for name in folders if name.casefold() not in _KINDS}
    bounded = f"_{_joined(stem)}_"
    exact = {name for name in names if f"_{_joined(name)}_" in bounded}
    return exact or {name for name in names if _splits(name) & _splits(stem)}


def _joined(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold())


def _splits(name: str) -> set[str]:
    return {_SPLITS[word] for word in re.findall("[a-z]+", name.casefold()) if word in _SPLITS}
