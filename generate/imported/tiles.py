"""Files of several pictures in a grid: each is cut out, and the grid itself is kept as it came.

What compression makes of a blank picture, or of one that stands in a grid twice, is no longer of one colour, or the
same bytes; such tiles are told from the pixels here, where the grid was compressed with loss.
"""

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image as Picture
from diptych.data.images import ImageInfo, decode, glance
from diptych.data.row_states import ONE_COLOURED, REPEATED
from diptych.errors import DecodeError
from diptych.generate.imported.rows import RowPicture, picture_of
from diptych.generate.pictures import encode_image
from diptych.storage.location import Location

GRIDS = "grids"  # beside the data: the files as they came, each under its sha256
BAD_GRID = "bad_grid"  # status of a tile of a picture that no such grid fits into
LOSSLESS = ("png", "bmp", "tiff", "gif")
SMEARED = 16  # pixels at the edge of a tile into which compression may carry its neighbour: a block of JPEG and WebP
SMEARED_LEVELS = 4  # between the darkest and the brightest of a channel that was of one level, of 255
PARTS = 8  # of a tile, across and down, whose means are compared
ALIKE_LEVELS = 4  # between the means of each part of two tiles that are one picture, of 255


class Grids:
    """The grids of an import, kept in a directory; holds one at a time, since its tiles follow one another."""

    def __init__(self, directory: Location, grid: tuple[int, int]) -> None:
        """Take the directory, and how many pictures lie in a grid across and down."""
        self._directory = directory
        self._grid = grid
        self._sha256 = ""
        self._tiles: list[Picture] | RowPicture = []
        self._is_lossy = False

    def holds(self, sha256: str) -> bool:
        """Return whether the grid with this hash is the one at hand."""
        return self._sha256 == sha256

    def take(self, data: bytes, sha256: str) -> None:
        """Keep a grid, and have it at hand."""
        self._sha256, self._tiles = sha256, self._read(data, sha256)

    def tile(self, number: int) -> RowPicture:
        """Return one tile of the grid at hand as PNG: exactly its pixels; or why there is none."""
        if isinstance(self._tiles, RowPicture):
            return self._tiles
        found = picture_of(encode_image(self._tiles[number], "png"))
        if not self._is_lossy or found.error is not None:
            return found
        return found._replace(error=_blank(self._tiles[number]) or _repeated(self._tiles, number))

    def _read(self, data: bytes, sha256: str) -> list[Picture] | RowPicture:
        try:
            info, picture = glance(data), decode(data)
        except DecodeError as error:
            return RowPicture(None, None, None, error.code, error.detail)
        self._is_lossy = info.format not in LOSSLESS
        place = self._directory / f"{sha256}.{info.format}"
        if not place.is_file():
            place.write(data)
        across, down = arrangement(info, self._grid)
        if info.width % across or info.height % down:
            why = f"{info.width}x{info.height} pixels are no {across} by {down} pictures of one size"
            return RowPicture(None, None, None, BAD_GRID, why)
        width, height = info.width // across, info.height // down
        corners = [(left * width, top * height) for top in range(down) for left in range(across)]
        return [picture.crop((left, top, left + width, top + height)) for left, top in corners]


def arrangement(info: ImageInfo, grid: tuple[int, int]) -> tuple[int, int]:
    """Return how many pictures lie in a file across and down: as many square ones in a strip, or as the layout says."""
    tiles = grid[0] * grid[1]
    if info.width == tiles * info.height:
        return tiles, 1
    return (1, tiles) if info.height == tiles * info.width else grid


def _inside(tile: Picture) -> Picture:
    """Return a tile without its edge; the whole of one that is hardly more than that."""
    width, height = tile.width - SMEARED, tile.height - SMEARED
    return tile.crop((SMEARED, SMEARED, width, height)) if min(width, height) >= SMEARED + PARTS else tile


def _blank(tile: Picture) -> str | None:
    """Return in words that a tile of a compressed grid was of one colour; None where it was not."""
    inside = np.asarray(_inside(tile)).reshape(-1, 3)
    if (np.ptp(inside, axis=0) > SMEARED_LEVELS).any():
        return None
    colour = tuple(np.median(inside, axis=0).astype(int).tolist())
    return f"{ONE_COLOURED}: each pixel is about {colour}, but for what compression left"


def _repeated(tiles: list[Picture], number: int) -> str | None:
    """Return in words that a tile of a compressed grid shows what one before it does; None where it does not."""
    own = _means(tiles[number])
    for other in range(number):
        if np.abs(own - _means(tiles[other])).max() <= ALIKE_LEVELS:
            return f"{REPEATED}: the same picture as tile {other} of the grid, but for what compression left"
    return None


def _means(tile: Picture) -> npt.NDArray[np.float64]:
    inside = _inside(tile)
    return np.asarray(inside.reduce((max(1, inside.width // PARTS), max(1, inside.height // PARTS))), np.float64)
