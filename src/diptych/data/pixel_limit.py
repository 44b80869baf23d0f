"""How many pixels a picture may have: what is decoded of unknown pictures, and of those that a dataset has taken in.

A picture is judged by the header when it comes in, by the limit that a config sets. A row that is in a dataset with its
size has passed that, so that whoever decodes it later allows as much. Loads where only the base install is.
"""

MAX_PIXELS = 1024**3 // 4 // 3  # where nobody says something else: PIL's own default, 256 MiB of RGB
MOST_PIXELS = 2**31 - 1  # that anybody can ask for: what PIL can hold


def pixels_allowed(width: int | None, height: int | None) -> int:
    """Return how many pixels the picture of a row may have, by the size that the row says it has.

    >>> pixels_allowed(None, None) == MAX_PIXELS, pixels_allowed(20_000, 10_000)
    (True, 200000000)
    """
    return max(MAX_PIXELS, (width or 0) * (height or 0))
