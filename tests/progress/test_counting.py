"""Counts and rates, on a clock of the test's own."""

import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standing_clock import StandingClock, make_tracker

from diptych.progress.wording import format_line


def test_rate_is_units_per_second_and_the_time_left_follows_from_it(clock: StandingClock) -> None:
    tracker = make_tracker(clock)
    clock.now_s += 10
    tracker.advance(200)
    snapshot = tracker.snapshot()
    assert snapshot.rate == pytest.approx(20)
    assert snapshot.left_s == pytest.approx(800 / 20)


@given(done=st.integers(0, 10**9), made=st.integers(1, 10**6), elapsed_s=st.floats(1, 10**5))
def test_rows_of_an_earlier_run_do_not_count_into_the_rate(done: int, made: int, elapsed_s: float) -> None:
    clock = StandingClock()
    tracker = make_tracker(clock, total=done + 2 * made, done=done)
    clock.now_s += elapsed_s
    tracker.advance(made)
    snapshot = tracker.snapshot()
    assert snapshot.done == done + made
    assert snapshot.rate == pytest.approx(made / elapsed_s, rel=1e-6)
    assert snapshot.left_s == pytest.approx(elapsed_s, rel=1e-6)


def test_rate_is_unknown_before_the_first_unit(clock: StandingClock) -> None:
    tracker = make_tracker(clock, done=500)
    clock.now_s += 60
    snapshot = tracker.snapshot()
    assert math.isnan(snapshot.rate)
    assert snapshot.left_s is None
    assert format_line(snapshot) == "score: 500/1,000 rows (50%)"


def test_rate_is_that_of_the_last_minute_and_in_the_end_that_of_the_whole_run(clock: StandingClock) -> None:
    tracker = make_tracker(clock, total=100_000)
    clock.now_s += 600  # ten minutes of loading
    for _ in range(120):
        clock.now_s += 1
        tracker.advance(50)
    assert tracker.snapshot().rate == pytest.approx(50)
    assert tracker.snapshot(finished=True).rate == pytest.approx(6000 / 720)


def test_rate_falls_when_the_work_stalls(clock: StandingClock) -> None:
    tracker = make_tracker(clock)
    for _ in range(10):
        clock.now_s += 1
        tracker.advance(10)
    clock.now_s += 990
    assert tracker.snapshot().rate == pytest.approx(100 / 1000)


def test_time_left_is_never_negative(clock: StandingClock) -> None:
    tracker = make_tracker(clock, total=10)
    clock.now_s += 5
    tracker.advance(20)
    assert tracker.snapshot().left_s == 0


def test_counts_are_right_when_threads_advance_together(clock: StandingClock) -> None:
    class SlowCount(int):
        """Lets other threads run between reading the old count and writing the new one."""

        def __radd__(self, other: int) -> int:
            time.sleep(0.001)
            return other + int(self)

    tracker = make_tracker(clock)

    def work() -> None:
        for _ in range(10):
            tracker.advance(SlowCount(2), {"ok": 1, "timeout": 1})

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    snapshot = tracker.snapshot()
    assert (snapshot.done, snapshot.ok, snapshot.failed) == (160, 80, {"timeout": 80})


def test_success_share_counts_only_units_whose_outcome_was_reported(clock: StandingClock) -> None:
    tracker = make_tracker(clock)
    assert tracker.snapshot().ok_share is None
    tracker.advance(100)
    tracker.advance(10, {"ok": 6, "timeout": 2, "http_404": 2})
    assert tracker.snapshot().ok_share == pytest.approx(0.6)
