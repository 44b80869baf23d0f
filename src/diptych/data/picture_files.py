"""One file that may be a picture: its bytes, or why there are none. Decides nothing about what the bytes are."""

import mimetypes
import os
import stat
from pathlib import PurePath

from diptych.storage.store_path import StorePath, listed_path

MAX_PICTURE_BYTES = 200 * 2**20  # a larger one is no picture; it is not read
NO_FILE = "unreadable: no regular file"
NO_NAME = "unreadable: no file can have its name, which has a zero byte"


def is_image_name(name: str) -> bool:
    """Return whether a file of that name is an image, as names go.

    >>> is_image_name("a/B.JPG"), is_image_name("a.npy")
    (True, False)
    """
    return (mimetypes.guess_type(name, strict=False)[0] or "").startswith("image/")


def read_picture_file(path: PurePath | str) -> bytes | str:
    """Return the bytes of a file, or a status, a colon and the detail: of a folder, a pipe, a link to nowhere."""
    place = listed_path(path)
    try:
        if isinstance(place, StorePath):
            size = place.stat().st_size
            return _too_large(size) if size > MAX_PICTURE_BYTES else place.read_bytes()
        seen = os.stat(path)
        if stat.S_ISDIR(seen.st_mode):
            os.scandir(path).close()  # one that cannot be opened says why
        if not stat.S_ISREG(seen.st_mode):
            return NO_FILE
        if seen.st_size > MAX_PICTURE_BYTES:
            return _too_large(seen.st_size)
        return place.read_bytes()
    except ValueError:
        return NO_NAME
    except OSError as error:
        return f"unreadable: {error.strerror or error}"


def _too_large(size: int) -> str:
    return f"too_large: {size} bytes, more than {MAX_PICTURE_BYTES}"
