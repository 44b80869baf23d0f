"""What compression with loss makes of a blank picture in a grid, or of one that stands in it twice, told by pixels.

Such a tile is no longer of one colour, or the same pixels as another. What compression leaves between equal tiles is
spread and small, and larger where a picture is busy; what pictures differ in, be it one star or one digit, is large
somewhere. So the largest difference of a small patch counts, less a part of the contrast around it, over which the
neighbours of the tile count as well: their colours bleed over the inner edges. Levels are of 255, in luma unless said.

Measured over photographs, drawn scenes, skies, signs, noise and pages in JPEG (4:4:4 and 4:2:0) and WebP at qualities
of 75 to 95: in tiles of whole blocks, equal ones differ by up to 7.3 and in chroma by 3, what neighbours bleed into a
blank one is up to 4.2, and different ones, down to a mark of 3 pixels and 40 levels, differ by 9.2 and more, signs of
one luma by 13 in chroma. In tiles of other sizes the blocks lie otherwise in each, and equal ones below quality 85 may
differ by 12; these are then taken for different.
"""

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image as Picture
from diptych.data.row_states import ONE_COLOURED, REPEATED

Levels = npt.NDArray[np.float32]

PATCH = 8  # pixels, across and down
AROUND = 3  # patches across and down, over which contrast counts
OF_CONTRAST = 0.15  # the part of the contrast, as a standard deviation, that compression may change a patch by
ALIKE = 8.0  # levels: at most between a patch of tiles that are one picture, in luma the root of the mean square
SHARED = 2  # pixels at the edge of a tile whose chroma, kept for 2 by 2, may be that of the next one


class TiledGrid:
    """The pixels of a grid that was compressed with loss."""

    def __init__(self, picture: Picture, across: int, down: int) -> None:
        """Take a grid, and how many tiles of one size lie in it across and down."""
        self._picture, self._across = picture, across
        self._pixels = np.asarray(picture.convert("YCbCr"), np.float32)
        self._height, self._width = self._pixels.shape[0] // down, self._pixels.shape[1] // across

    def flaw(self, number: int) -> str | None:
        """Return in words that a tile was blank or shows what one before it does; None where neither is so."""
        own, contrast = self.tile(number), self.contrast(number)
        colour = np.median(own, axis=(0, 1))
        beside = self._pixels.copy()
        self.tile(number, beside)[...] = colour
        if _is_alike(own - colour, self.contrast(number, beside)):
            left, top = self._corner(number)
            shown = np.asarray(self._picture.crop((left, top, left + self._width, top + self._height)))
            about = tuple(np.median(shown, axis=(0, 1)).astype(int).tolist())
            return f"{ONE_COLOURED}: each pixel is about {about}, but for what compression left"
        for other in range(number):
            of_both = np.maximum(contrast, self.contrast(other))
            if _is_alike(own - self.tile(other), of_both):
                return f"{REPEATED}: the same picture as tile {other} of the grid, but for what compression left"
        return None

    def _corner(self, number: int) -> tuple[int, int]:
        return number % self._across * self._width, number // self._across * self._height

    def tile(self, number: int, pixels: Levels | None = None) -> Levels:
        """Return a tile of the grid, or of other pixels in its place: (height, width, 3) of luma and two of chroma."""
        left, top = self._corner(number)
        whole = self._pixels if pixels is None else pixels
        return whole[top : top + self._height, left : left + self._width]

    def contrast(self, number: int, pixels: Levels | None = None) -> Levels:
        """Return the standard deviation of luma around each patch of a tile, over its neighbours in the grid too."""
        left, top = self._corner(number)
        margin = AROUND // 2 * PATCH
        rows, columns = -(-self._height // PATCH) * PATCH, -(-self._width // PATCH) * PATCH
        luma = np.pad(
            (self._pixels if pixels is None else pixels)[..., 0], ((margin, margin + PATCH),) * 2, mode="edge"
        )
        patches = _patches(luma[top : top + rows + 2 * margin, left : left + columns + 2 * margin])
        mean, square = _around(patches.mean((1, 3))), _around((patches**2).mean((1, 3)))
        found: Levels = np.sqrt(np.maximum(square - mean**2, 0))
        return found


def _patches(levels: Levels) -> Levels:
    """Return an array of (rows of patches, PATCH, columns of patches, PATCH), the last filled up by its mirror."""
    height, width = levels.shape
    filled = np.pad(levels, ((0, -height % PATCH), (0, -width % PATCH)), mode="symmetric")
    return filled.reshape(filled.shape[0] // PATCH, PATCH, filled.shape[1] // PATCH, PATCH)


def _around(values: Levels) -> Levels:
    found: Levels = np.lib.stride_tricks.sliding_window_view(values, (AROUND, AROUND)).mean((2, 3))
    return found


def _is_alike(differing: Levels, contrast: Levels) -> bool:
    return max(luma_differs(differing, contrast), hue_differs(differing)) <= ALIKE


def luma_differs(differing: Levels, contrast: Levels) -> float:
    """Return the largest difference of a patch of luma, less what compression may change there."""
    differences = np.sqrt((_patches(differing[..., 0]) ** 2).mean((1, 3)))
    return float((differences - OF_CONTRAST * contrast).max())


def hue_differs(differing: Levels) -> float:
    """Return the largest mean difference of 2 by 2 patches of either chroma, but for pixels shared with neighbours."""
    inside = differing[SHARED:-SHARED, SHARED:-SHARED]
    means = (_patches(inside[..., channel]).mean((1, 3)) for channel in (1, 2) if inside.size)
    windows = (np.lib.stride_tricks.sliding_window_view(mean, (2, 2)) for mean in means if min(mean.shape) >= 2)
    return max((float(np.abs(window.mean((2, 3))).max()) for window in windows), default=0.0)
