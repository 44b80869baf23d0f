"""Text of files that begin with a byte order mark, as editors on Windows write them: UTF-8, UTF-16 or UTF-32.

UTF-16 without its mark is known by its first two letters, as long as they are of ASCII.
"""

import codecs
import re

# Longest first: the mark of UTF-32 (little endian) begins with that of UTF-16. The codecs named leave the mark out.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = ((re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"), (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"))
UTF8 = "utf-8-sig"


def encoding_of(start: bytes) -> str:
    r"""Return the codec of a text by its first bytes: ``UTF8`` where no mark says something else.

    >>> encoding_of("a cat".encode("utf-32")), encoding_of(b"a cat")
    ('utf-32', 'utf-8-sig')
    >>> encoding_of("a cat".encode("utf-16-le")), encoding_of(b"a\0b")
    ('utf-16-le', 'utf-8-sig')
    """
    marked = (name for mark, name in _MARKS if start.startswith(mark))
    unmarked = (name for letters, name in _UNMARKED if letters.match(start))
    return next(marked, None) or next(unmarked, UTF8)


def text_of(data: bytes, errors: str = "strict") -> str:
    r"""Return the text of a whole file, without its mark; UTF-8 where the mark says nothing else.

    Args:
        data: The content.
        errors: What is done with bytes that are no text, as in ``bytes.decode``.

    Raises:
        UnicodeError: If it is no such text, and errors are strict.

    >>> text_of(b"\xef\xbb\xbfa cat"), text_of("a cat".encode("utf-16")), text_of(b"a \xff", "replace")
    ('a cat', 'a cat', 'a �')
    """
    return data.decode(encoding_of(data), errors)
