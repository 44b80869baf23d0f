"""Numbers as people read them. Decides digits, never values."""

import math

MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"
INFINITE = "\N{INFINITY}"
HUGE = 1e15  # of which nobody reads the digits


def count(value: int | None) -> str:
    """Return a whole number.

    >>> count(12345)
    '12,345'
    """
    return NO_VALUE if value is None else f"{value:,}"


def share(part: float, whole: float) -> str:
    """Return a part as a percentage; never 0 % of something or 100 % of less than all.

    >>> share(1, 3), share(1, 100_000), share(99_999, 100_000), share(0, 5)
    ('33 %', '<0.1 %', '>99.9 %', '0 %')
    """
    if not whole:
        return NO_VALUE
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) or 9.95 <= percent < 99.5 else f"{percent:.1f} %"


def number(value: float | None, *, step: float | None = None, signed: bool = False) -> str:
    """Return a number with the digits that matter.

    Args:
        value: None and NaN are a dash.
        step: What a reader should still be able to tell apart, such as the half width of an interval; two digits of it
            are shown. Without one, four digits.
        signed: Whether to write the plus.

    >>> number(27.3149, step=0.31), number(0.00412), number(1234567.0), number(1.5, step=0.2, signed=True)
    ('27.31', '0.004120', '1,234,567', '+1.50')
    >>> number(math.nan) == NO_VALUE, number(-math.inf) == MINUS + INFINITE
    (True, True)
    """
    if value is None or math.isnan(value):
        return NO_VALUE
    if math.isinf(value):
        return (MINUS if value < 0 else "+" if signed else "") + INFINITE
    if abs(value) >= HUGE:
        return (MINUS if value < 0 else "+" if signed else "") + f"{abs(value):.4g}"
    decimals = _decimals(step, 2) if step and math.isfinite(step) else _decimals(abs(value) or 1.0, 4)
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{max(decimals, 0)}f}"
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + text


def short(value: float | None) -> str:
    """Return a number for an axis or a filter: no zeros at its end.

    >>> short(0.25), short(40.0), short(1.0e-05), short(6000.0)
    ('0.25', '40', '1e-05', '6,000')
    """
    if value is None or not math.isfinite(value):
        return number(value)
    text = f"{abs(value):,.0f}" if value == round(value) and abs(value) < 1e9 else f"{abs(value):.4g}"
    return (MINUS if value < 0 else "") + text


def exact(value: float) -> str:
    """Return a finite number with all its digits.

    >>> exact(0.123456), exact(12345.0), exact(1e-07)
    ('0.123456', '12,345', '1e-07')
    """
    text = f"{abs(value):,.0f}" if value == round(value) and abs(value) < HUGE else repr(abs(float(value)))
    return (MINUS if value < 0 else "") + text


def interval(low: float | None, high: float | None, *, step: float | None = None, signed: bool = False) -> str:
    """Return an interval with digits that fit its width, or ``step``, or that there is none.

    >>> interval(26.98, 27.61), interval(0.5, 1.25, signed=True), interval(None, None)
    ('26.98 to 27.61', '+0.50 to +1.25', 'no interval')
    """
    if low is None or high is None:
        return "no interval"
    step = step or half_width(low, high)
    return f"{number(low, step=step, signed=signed)} to {number(high, step=step, signed=signed)}"


def half_width(low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval; None where there is none or it has no width."""
    return (high - low) / 2 if low is not None and high is not None and high > low else None


def plain_name(name: str) -> str:
    """Return the name of a column or metric as words; one with a label has it behind them, if it says something else.

    >>> plain_name("frechet_distance"), plain_name("match.clip_score"), plain_name("hashes.hashes")
    ('Fréchet distance', 'CLIP score (match)', 'Hashes')
    >>> plain_name("match.clip_similarity (1a2b3c4d)")
    'CLIP similarity (match, 1a2b3c4d)'
    """
    label, dot, own = name.rpartition(".")
    own, space, identity = own.partition(" (")  # where two sources have other numbers of one name
    if not dot or not own.isidentifier():
        return _in_words(name)
    told = [label] if label != own else []
    told += [identity.removesuffix(")")] if space else []
    return _in_words(own) + (f" ({', '.join(told)})" if told else "")


def _in_words(name: str) -> str:
    words = [SPELLED.get(word, word) for word in name.replace("_", " ").split(" ")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


SPELLED = {
    "clip": "CLIP",
    "cmmd": "CMMD",
    "fid": "FID",
    "frechet": "Fréchet",
    "kid": "KID",
    "nsfw": "NSFW",
    "url": "URL",
}


def _decimals(value: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))
