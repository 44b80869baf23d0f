"""What a build of a report leaves."""

from dataclasses import dataclass
from typing import Any

from diptych.storage.store_path import ReadPath


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        index: The page to open.
        pages: Files of pages.
        images: Images shown.
        pictures_kept: Pictures that were made before.
        bytes: Of all files together.
    """

    index: ReadPath
    pages: tuple[str, ...]
    images: int
    pictures_kept: int
    bytes: int

    @property
    def facts(self) -> dict[str, Any]:
        """What it holds, as JSON-able values."""
        names = ("images", "pictures_kept", "bytes")
        return {"pages": list(self.pages), **{name: getattr(self, name) for name in names}}
