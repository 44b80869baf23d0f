"""What the status of a generated row says beside ``ok`` where its image was made elsewhere.

A row is a place that is asked for, with its image or without; or an image that has none.
"""

MISSING = "missing"  # a place that is asked for, and no image there
MISNAMED = "misnamed"  # its name is none that the layout gives
UNMATCHED = "unmatched"  # no prompt of the set is its
EXTRA = "extra"  # its place is taken, or is none that is asked for
WITHOUT_A_PLACE = (UNMATCHED, EXTRA)  # of images that nobody asked for
