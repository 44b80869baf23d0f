"""Input images: what a picture is made from beside the text, known by their content.

Where a file lies decides nothing: its sha256 is part of the key of every picture that is made from it.
"""

import hashlib
from dataclasses import dataclass

from diptych.errors import DataError
from diptych.storage.store_path import ReadPath

ROLE = "image"  # of an input image that does not say another


@dataclass(frozen=True)
class InputImage:
    """One input image.

    Attributes:
        sha256: Of its bytes.
        source: Its bytes, or the file that holds them.
        role: What it is there for, such as ``mask``.
    """

    sha256: str
    source: ReadPath | bytes
    role: str = ROLE

    @property
    def name(self) -> str:
        """Role and content, as the column ``input_images`` has them.

        >>> InputImage("ab12", b"", "mask").name
        'mask:ab12'
        """
        return f"{self.role}:{self.sha256}"

    def read(self) -> bytes:
        """Return its bytes.

        Raises:
            DataError: If the file cannot be read, or holds something else by now.
        """
        data = _bytes_of(self.source)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise DataError(f"{self.source!r}: the input image changed since the prompts were read; run again")
        return data


def input_image(source: ReadPath | bytes, *, role: str = ROLE) -> InputImage:
    """Return an input image from its bytes, or from the file that holds them.

    Raises:
        DataError: If the file cannot be read.
    """
    return InputImage(hashlib.sha256(_bytes_of(source)).hexdigest(), source, role)


def _bytes_of(source: ReadPath | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise DataError(f"{source}: the input image cannot be read: {error.strerror or error}") from error
