"""How much of a text of a stranger a report carries."""

MAX_TEXT = 4000  # characters that are shown and searched


def cut(text: str | None) -> str | None:
    """Return a text of bearable length; a caption may have megabytes.

    >>> cut("a" * 5000)[-1], cut(None)
    ('…', None)
    """
    return text if text is None or len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"
