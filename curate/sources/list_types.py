"""The types of Arrow that are lists: of one length or of any, of narrow or wide offsets, or views into their values."""

import pyarrow as pa

KINDS = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is a list of some kind.

    >>> is_list(pa.list_(pa.string(), 2)), is_list(pa.string())
    (True, False)
    """
    return any(is_kind(kind) for is_kind in KINDS)


def has_views(kind: pa.DataType) -> bool:
    """Return whether a type is a list of views, or has one in it: a cast of such loses values behind a null.

    >>> has_views(pa.struct([("x", pa.list_view(pa.int8()))])), has_views(pa.list_(pa.string_view()))
    (True, False)
    """
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return True
    return any(has_views(kind.field(number).type) for number in range(kind.num_fields))
