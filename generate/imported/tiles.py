"""Files of several pictures in a grid: each is cut out, and the grid itself is kept as it came."""

from diptych.data.images import Image as Picture
from diptych.data.images import ImageInfo, decode, glance
from diptych.errors import DecodeError
from diptych.generate.imported.rows import RowPicture, picture_of
from diptych.generate.pictures import encode_image
from diptych.storage.location import Location

GRIDS = "grids"  # beside the data: the files as they came, each under its sha256
BAD_GRID = "bad_grid"  # status of a tile of a picture that no such grid fits into


class Grids:
    """The grids of an import, kept in a directory; holds one at a time, since its tiles follow one another."""

    def __init__(self, directory: Location, grid: tuple[int, int]) -> None:
        """Take the directory, and how many pictures lie in a grid across and down."""
        self._directory = directory
        self._across, self._down = grid
        self._sha256 = ""
        self._picture: Picture | RowPicture | None = None

    def holds(self, sha256: str) -> bool:
        """Return whether the grid with this hash is the one at hand."""
        return self._sha256 == sha256

    def take(self, data: bytes, sha256: str) -> None:
        """Keep a grid, and have it at hand."""
        self._sha256, self._picture = sha256, self._read(data, sha256)

    def tile(self, number: int) -> RowPicture:
        """Return one tile of the grid at hand as PNG: exactly its pixels; or why there is none."""
        picture = self._picture
        assert picture is not None, "a grid is taken first"
        if isinstance(picture, RowPicture):
            return picture
        width, height = picture.width // self._across, picture.height // self._down
        left, top = number % self._across * width, number // self._across * height
        return picture_of(encode_image(picture.crop((left, top, left + width, top + height)), "png"))

    def _read(self, data: bytes, sha256: str) -> Picture | RowPicture:
        try:
            info, picture = glance(data), decode(data)
        except DecodeError as error:
            return RowPicture(None, None, None, error.code, error.detail)
        place = self._directory / f"{sha256}.{info.format}"
        if not place.is_file():
            place.write(data)
        if info.width % self._across or info.height % self._down:
            return RowPicture(None, None, None, BAD_GRID, self._why(info))
        return picture

    def _why(self, info: ImageInfo) -> str:
        return f"{info.width}x{info.height} pixels are no {self._across} by {self._down} pictures of one size"
