"""How long a server asks to wait before it is asked again. Decides nothing about who waits so long."""

import email.utils
import time


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date).

    Returns:
        0 or more; infinity where there are more seconds than a number can hold; None where it says nothing, or nothing
        that can be read.

    >>> retry_after_s("7"), retry_after_s("Mon, 01 Jan 1990 00:00:00 GMT"), retry_after_s("soon")
    (7.0, 0.0, None)
    """
    text = (header or "").strip()
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (LookupError, OverflowError, TypeError, ValueError):  # of what no calendar has
            return None
    return max(wait, 0.0) if wait == wait else None
