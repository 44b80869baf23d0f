"""A snapshot of a job as one line: of text for people, of JSON for programs."""

import json
from dataclasses import asdict

from diptych.progress.counting import Snapshot


def format_line(snapshot: Snapshot) -> str:
    """Return the snapshot as one line of text.

    >>> format_line(Snapshot("score", "rows", 250, 1000, 10.0, 25.0, 30.0, 240, {"http_404": 10}))
    'score: 250/1,000 rows (25%), 25.0 rows/s, 30s left, 96.0% ok, http_404 10'
    """
    parts = [_format_count(snapshot)]
    if snapshot.rate > 0:
        parts.append(f"{_format_rate(snapshot.rate)} {snapshot.unit}/s")
    if snapshot.left_s is not None and not snapshot.finished:
        parts.append(f"{format_seconds(snapshot.left_s)} left")
    if snapshot.ok_share is not None:
        parts.append(f"{100 * snapshot.ok_share:.1f}% ok")
    parts += [f"{reason} {count:,}" for reason, count in snapshot.top_reasons]
    return f"{snapshot.title}: {', '.join(parts)}"


def _format_count(snapshot: Snapshot) -> str:
    count = f"{snapshot.done:,}"
    if snapshot.total is not None and snapshot.done != snapshot.total:
        share = f" ({snapshot.done / snapshot.total:.0%})" if snapshot.total else ""
        count = f"{count}/{snapshot.total:,} {snapshot.unit}{share}"
    else:
        count = f"{count} {snapshot.unit}"
    if not snapshot.finished:
        return count
    return f"{count} in {format_seconds(snapshot.elapsed_s)}" + ("" if snapshot.complete else ", then stopped")


def _format_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}" if rate < 10 else f"{rate:.1f}"


def format_seconds(seconds: float) -> str:
    """Return a duration with its two leading units.

    >>> format_seconds(7.4), format_seconds(75), format_seconds(7384), format_seconds(93784)
    ('7s', '1m 15s', '2h 3m', '1d 2h')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}h"
    if hours:
        return f"{hours}h {minute}m"
    return f"{minute}m {second}s" if minute else f"{second}s"


def format_bytes(count: float) -> str:
    """Return how much something weighs in the largest unit of which it is one or more.

    >>> format_bytes(0), format_bytes(84_000), format_bytes(6_840_000), format_bytes(2_500_000_000_000)
    ('0 bytes', '84.0 kB', '6.8 MB', '2,500.0 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:.0f} bytes"


def quantity(count: int, what: str) -> str:
    """Return how many there are of something, whose name is given for one of it.

    >>> quantity(1, "row"), quantity(1_200, "row"), quantity(0, "row")
    ('1 row', '1,200 rows', '0 rows')
    """
    return f"{count:,} {what if count == 1 else f'{what}s'}"


def taken_over(there: int, total: int, what: str) -> str:
    """Return how much a run found there from an earlier one; empty where it began with nothing.

    >>> taken_over(0, 5, "shard"), taken_over(3, 5, "shard"), taken_over(5, 5, "shard"), taken_over(1, 1, "shard")
    ('', '3 of 5 shards were there already', 'all 5 shards were there already', 'the shard was there already')
    """
    if not there:
        return ""
    if total == 1:
        return f"the {what} was there already"
    return f"{f'all {total:,}' if there == total else f'{there:,} of {total:,}'} {what}s were there already"


def format_json(snapshot: Snapshot) -> str:
    """Return the snapshot as one JSON object on one line; numbers that are not known are null."""
    values = asdict(snapshot) | {
        "elapsed_s": round(snapshot.elapsed_s, 3),
        "rate": round(snapshot.rate, 3) if snapshot.rate > 0 else None,
        "left_s": round(snapshot.left_s, 1) if snapshot.left_s is not None else None,
    }
    return json.dumps(values, sort_keys=True)
