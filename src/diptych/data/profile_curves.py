"""The curve of a colour profile: how much light its middle value is. Only bytes are read here."""

import struct
from contextlib import suppress

RED = b"rTRC"  # the curves of the three channels are alike in all profiles of displays
MOST_TAGS, MOST_ENTRIES = 100, 1 << 16
# ICC.1:2022, 10.18: how many parameters each formula has, and what the others are to it.
PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
NO_PARAMETERS = (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def middle_of_curve(icc: bytes) -> float | None:
    """Return light in [0, 1] of the value 0.5 of red in a profile; None where it has no such curve, or a damaged one.

    Source: ICC.1:2022, 7.3 (tag table), 10.6 (``curv``) and 10.18 (``para``).
    """
    with suppress(struct.error, OverflowError, ZeroDivisionError, ValueError, KeyError):
        (count,) = struct.unpack_from(">I", icc, 128)
        tags = (struct.unpack_from(">4sII", icc, 132 + 12 * number) for number in range(min(count, MOST_TAGS)))
        for name, start, size in tags:
            if name == RED:
                return _middle(icc[start : start + size])
    return None


def _middle(curve: bytes) -> float | None:
    if curve[:4] == b"para":
        return _of_formula(curve)
    return _of_table(curve) if curve[:4] == b"curv" else None


def _of_table(curve: bytes) -> float | None:
    (count,) = struct.unpack_from(">I", curve, 8)
    if count > MOST_ENTRIES:
        return None
    values = struct.unpack_from(f">{count}H", curve, 12)
    if not values:
        return 0.5
    if count == 1:
        return float(0.5 ** (values[0] / 256))
    below, above = map(float, (values[(count - 1) // 2], values[count // 2]))
    return (below + above) / 2 / 65535


def _of_formula(curve: bytes) -> float | None:
    (kind,) = struct.unpack_from(">H", curve, 8)
    given: list[float] = [value / 65536 for value in struct.unpack_from(f">{PARAMETERS[kind]}i", curve, 12)]
    gamma, a, b, c, d, e, f = [*given, *NO_PARAMETERS[len(given) :]]
    if kind >= 3 and d > 0.5:
        return 0.5 * c + f
    base = a * 0.5 + b
    added = c if kind == 2 else e if kind == 4 else 0.0
    power: float = max(base, 0.0) ** gamma
    return power + added
