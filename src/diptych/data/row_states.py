"""What the status of a generated row says beside ``ok`` where its image was made elsewhere, and what of a blank one.

A row is a place that is asked for, with its image or without; or an image that has none.
"""

MISSING = "missing"  # a place that is asked for, and no image there
MISNAMED = "misnamed"  # its name is none that the layout gives
UNMATCHED = "unmatched"  # no prompt of the set is its
EXTRA = "extra"  # its place is taken, or is none that is asked for

# What ``error`` begins with of a picture that is there: of any, and of one that was cut out of a compressed grid.
ONE_COLOURED = "one_coloured"
REPEATED = "repeated"  # shows what another one of its grid does


def is_stray(status: str | None, sample: int | None) -> bool:
    """Return whether a row is of an image that nobody asked for: it has no place, or a name and none of a prompt.

    >>> is_stray("extra", 0), is_stray("misnamed", None), is_stray("misnamed", 0), is_stray("missing", 0)
    (True, True, False, False)
    """
    return status in (UNMATCHED, EXTRA) or (status == MISNAMED and sample is None)
