"""Files of several pictures in a grid: each is cut out, and the grid itself is kept as it came."""

from diptych.data.images import Image as Picture
from diptych.data.images import ImageInfo, decode, glance
from diptych.errors import DecodeError
from diptych.generate.imported.rows import RowPicture, picture_of
from diptych.generate.imported.tile_flaws import TiledGrid
from diptych.generate.pictures import encode_image
from diptych.storage.location import Location

GRIDS = "grids"  # beside the data: the files as they came, each under its sha256
BAD_GRID = "bad_grid"  # status of a tile of a picture that no such grid fits into
LOSSLESS = ("png", "bmp", "tiff", "gif")


class Grids:
    """The grids of an import, kept in a directory; holds one at a time, since its tiles follow one another."""

    def __init__(self, directory: Location, grid: tuple[int, int]) -> None:
        """Take the directory, and how many pictures lie in a grid across and down."""
        self._directory = directory
        self._grid = grid
        self._sha256 = ""
        self._tiles: list[Picture] | RowPicture = []
        self._lossy: TiledGrid | None = None

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
        if self._lossy is None or found.error is not None:
            return found
        return found._replace(error=self._lossy.flaw(number))

    def _read(self, data: bytes, sha256: str) -> list[Picture] | RowPicture:
        try:
            info, picture = glance(data), decode(data)
        except DecodeError as error:
            return RowPicture(None, None, None, error.code, error.detail)
        place = self._directory / f"{sha256}.{info.format}"
        if not place.is_file():
            place.write(data)
        across, down = arrangement(info, self._grid)
        if info.width % across or info.height % down:
            why = f"{info.width}x{info.height} pixels are no {across} by {down} pictures of one size"
            return RowPicture(None, None, None, BAD_GRID, why)
        self._lossy = None if info.format in LOSSLESS else TiledGrid(picture, across, down)
        width, height = info.width // across, info.height // down
        corners = [(left * width, top * height) for top in range(down) for left in range(across)]
        return [picture.crop((left, top, left + width, top + height)) for left, top in corners]


def arrangement(info: ImageInfo, grid: tuple[int, int]) -> tuple[int, int]:
    """Return how many pictures lie in a file across and down: as many square ones in a strip, or as the layout says."""
    tiles = grid[0] * grid[1]
    if info.width == tiles * info.height:
        return tiles, 1
    return (1, tiles) if info.height == tiles * info.width else grid
