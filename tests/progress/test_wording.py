import pytest
from standing_clock import StandingClock, make_tracker

from diptych.progress.wording import format_line, format_seconds


def test_line_names_the_three_most_frequent_failures(clock: StandingClock) -> None:
    tracker = make_tracker(clock, total=10_000)
    clock.now_s += 10
    tracker.advance(2000, {"ok": 1900, "timeout": 30, "dns": 10, "http_404": 50, "decode": 10})
    expected = "score: 2,000/10,000 rows (20%), 200 rows/s, 40s left, 95.0% ok, http_404 50, timeout 30, decode 10"
    assert format_line(tracker.snapshot()) == expected


def test_line_without_a_total_shows_neither_share_nor_time_left(clock: StandingClock) -> None:
    tracker = make_tracker(clock, total=None)
    clock.now_s += 10
    tracker.advance(5)
    assert format_line(tracker.snapshot()) == "score: 5 rows, 0.5 rows/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.6, "1m 0s"), (3599.6, "1h 0m"), (86400, "1d 0h"), (10**6, "11d 13h")]
)
def test_seconds_are_shown_with_two_leading_units(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
