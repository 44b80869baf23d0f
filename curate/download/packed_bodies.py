"""Bodies that come packed though none was asked for: what HTTP calls a content coding (RFC 9110, 8.4.1).

gzip and deflate are unpacked where the bytes begin as such do; a header that declares them of plain bytes changes
nothing. The codings that nothing here unpacks are named. Decides nothing about how large a body may be.
"""

import zlib
from collections.abc import Iterator, Sequence

from diptych.curate.download.errors import FetchError

GZIP = b"\x1f\x8b"
DEFLATE = b"\x78"  # of zlib's own form, with its usual window; no format of pictures begins so
MARKS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": DEFLATE}
UNREAD = ("br", "compress", "dcb", "dcz", "x-compress", "zstd")
MAX_SHOWN = 60
ANY_WINDOW = 47  # zlib's for either of the two, as its header says


def unpacked(pieces: Iterator[bytes], codings: Sequence[str], most: int) -> Iterator[bytes]:
    r"""Yield what pieces of a body hold.

    Args:
        pieces: As they come, the first of at least two bytes if there are as many.
        codings: The elements of the header Content-Encoding, in lower case. One of several is unpacked.
        most: Bytes to yield at once, however small what they were packed into.

    Raises:
        FetchError: ``http_error`` if the body is packed in another way, more than once, or not as it says;
            ``truncated_body`` if it ends too early.

    >>> packed = zlib.compress(b"abc" * 2, wbits=31)
    >>> list(unpacked(iter([packed[:9], packed[9:]]), ["gzip"], 4)), list(unpacked(iter([b"\xff\xd8"]), ["gzip"], 4))
    ([b'abca', b'bc'], [b'\xff\xd8'])
    """
    unread = next((coding for coding in codings if coding in UNREAD), None)
    if unread is not None:
        raise FetchError("http_error", f"a body in the coding {unread}, and none was asked for")
    first = next(pieces, b"")
    name = next((coding for coding in reversed(codings) if coding in MARKS and first.startswith(MARKS[coding])), None)
    if name is None:
        if first:
            yield first
        yield from pieces
        return
    try:
        inflated = _inflated(first, pieces, most)
        once = next(inflated, b"")
        if len(codings) > 1 and once.startswith(tuple(MARKS[coding] for coding in codings if coding in MARKS)):
            raise FetchError("http_error", f"a body packed more than once ({', '.join(codings)[:MAX_SHOWN]})")
        yield once
        yield from inflated
    except zlib.error as error:
        raise FetchError("http_error", f"a body that is no {name} as it says: {error}") from error


def _inflated(waiting: bytes, pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    packed = zlib.decompressobj(ANY_WINDOW)
    while True:
        if piece := packed.decompress(waiting, most):
            yield piece
        waiting = packed.unconsumed_tail
        if packed.eof:
            waiting, packed = packed.unused_data, zlib.decompressobj(ANY_WINDOW)
            while len(waiting) < len(GZIP) and (more := next(pieces, b"")):
                waiting += more
            if not waiting.startswith(GZIP):  # what is behind it is none of it
                return
        elif not waiting and not piece:
            waiting = next(pieces, b"")
            if not waiting:
                raise FetchError("truncated_body", "a packed body that ends before its end")
