"""Progress: counts and rates on a clock of the test's own, displays on a captured stderr."""

import io
import json
import math
import re
import sys
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import progress
from diptych.errors import ConfigError, MissingExtra
from diptych.progress import Tracker, format_line, format_seconds, track


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the first line at once and the next ones right after."""
    monkeypatch.setattr(progress, "FIRST_S", 0.01)
    monkeypatch.setattr(progress.LineDisplay, "every_s", 0.01)
    monkeypatch.setattr(progress.RichDisplay, "every_s", 0.01)


def make_tracker(clock: Clock, total: int | None = 1000, done: int = 0) -> Tracker:
    return Tracker("score", total, unit="rows", done=done, clock=clock)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen within 10 seconds"
        time.sleep(0.005)


def progress_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "progress"]


def test_rate_is_units_per_second_and_the_time_left_follows_from_it(clock: Clock) -> None:
    tracker = make_tracker(clock)
    clock.now_s += 10
    tracker.advance(200)
    snapshot = tracker.snapshot()
    assert snapshot.rate == pytest.approx(20)
    assert snapshot.left_s == pytest.approx(800 / 20)


@given(done=st.integers(0, 10**9), made=st.integers(1, 10**6), elapsed_s=st.floats(1, 10**5))
def test_rows_of_an_earlier_run_do_not_count_into_the_rate(done: int, made: int, elapsed_s: float) -> None:
    clock = Clock()
    tracker = make_tracker(clock, total=done + 2 * made, done=done)
    clock.now_s += elapsed_s
    tracker.advance(made)
    snapshot = tracker.snapshot()
    assert snapshot.done == done + made
    assert snapshot.rate == pytest.approx(made / elapsed_s, rel=1e-6)
    assert snapshot.left_s == pytest.approx(elapsed_s, rel=1e-6)


def test_rate_is_unknown_before_the_first_unit(clock: Clock) -> None:
    tracker = make_tracker(clock, done=500)
    clock.now_s += 60
    snapshot = tracker.snapshot()
    assert math.isnan(snapshot.rate)
    assert snapshot.left_s is None
    assert format_line(snapshot) == "score: 500/1,000 rows (50%)"


def test_rate_is_that_of_the_last_minute_and_in_the_end_that_of_the_whole_run(clock: Clock) -> None:
    tracker = make_tracker(clock, total=100_000)
    clock.now_s += 600  # ten minutes of loading
    for _ in range(120):
        clock.now_s += 1
        tracker.advance(50)
    assert tracker.snapshot().rate == pytest.approx(50)
    assert tracker.snapshot(finished=True).rate == pytest.approx(6000 / 720)


def test_rate_falls_when_the_work_stalls(clock: Clock) -> None:
    tracker = make_tracker(clock)
    for _ in range(10):
        clock.now_s += 1
        tracker.advance(10)
    clock.now_s += 990
    assert tracker.snapshot().rate == pytest.approx(100 / 1000)


def test_time_left_is_never_negative(clock: Clock) -> None:
    tracker = make_tracker(clock, total=10)
    clock.now_s += 5
    tracker.advance(20)
    assert tracker.snapshot().left_s == 0


def test_counts_are_right_when_threads_advance_together(clock: Clock) -> None:
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


def test_success_share_counts_only_units_whose_outcome_was_reported(clock: Clock) -> None:
    tracker = make_tracker(clock)
    assert tracker.snapshot().ok_share is None
    tracker.advance(100)
    tracker.advance(10, {"ok": 6, "timeout": 2, "http_404": 2})
    assert tracker.snapshot().ok_share == pytest.approx(0.6)


def test_line_names_the_three_most_frequent_failures(clock: Clock) -> None:
    tracker = make_tracker(clock, total=10_000)
    clock.now_s += 10
    tracker.advance(2000, {"ok": 1900, "timeout": 30, "dns": 10, "http_404": 50, "decode": 10})
    expected = "score: 2,000/10,000 rows (20%), 200 rows/s, 40s left, 95.0% ok, http_404 50, timeout 30, decode 10"
    assert format_line(tracker.snapshot()) == expected


def test_line_without_a_total_shows_neither_share_nor_time_left(clock: Clock) -> None:
    tracker = make_tracker(clock, total=None)
    clock.now_s += 10
    tracker.advance(5)
    assert format_line(tracker.snapshot()) == "score: 5 rows, 0.5 rows/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59.6, "1m 0s"), (3599.6, "1h 0m"), (86400, "1d 0h"), (10**6, "11d 13h")]
)
def test_seconds_are_shown_with_two_leading_units(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize("mode", ["plain", "rich", "auto", "none"])
def test_a_short_job_shows_nothing(mode: str, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    with track("score", 10, mode=mode, clock=clock) as tracker:
        tracker.advance(10)
    assert capfd.readouterr() == ("", "")


def test_a_long_job_leaves_one_closing_line_on_stderr(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", 100, mode="plain", clock=clock) as tracker:
        clock.now_s += 50
        tracker.advance(100, {"ok": 99, "timeout": 1})
    assert capsys.readouterr() == ("", "score: 100 rows in 50s, 2 rows/s, 99.0% ok, timeout 1\n")


def test_a_failing_job_says_how_far_it_came(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(tracker: Tracker) -> None:
        clock.now_s += 50
        tracker.advance(40)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), track("score", 100, mode="plain", clock=clock) as tracker:
        fail(tracker)
    assert capsys.readouterr().err == "score: 40/100 rows (40%) in 50s, then stopped, 0.8 rows/s\n"
    assert progress_threads() == []


def test_mode_none_shows_nothing_and_starts_no_thread(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", 100, mode="none", clock=clock) as tracker:
        clock.now_s += 50
        tracker.advance(100)
        assert progress_threads() == []
    assert capsys.readouterr() == ("", "")


def test_json_ends_with_an_object_however_short_the_job(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", 4, mode="json", unit="shards", done=1, clock=clock) as tracker:
        clock.now_s += 1.5
        tracker.advance(3, {"ok": 2, "timeout": 1})
    assert json.loads(capsys.readouterr().err) == {
        "title": "score",
        "unit": "shards",
        "done": 4,
        "total": 4,
        "elapsed_s": 1.5,
        "rate": 2.0,
        "left_s": 0.0,
        "ok": 2,
        "failed": {"timeout": 1},
        "finished": True,
        "complete": True,
    }


def test_json_writes_null_for_an_unknown_rate(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", None, mode="json", clock=clock):
        pass
    record = json.loads(capsys.readouterr().err)
    assert (record["rate"], record["left_s"], record["total"]) == (None, None, None)


@pytest.mark.usefixtures("impatient")
def test_lines_keep_coming_while_the_job_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with track("score", 100, mode="plain"):
        wait_until(lambda: stderr.getvalue().count("score: 0/100 rows (0%)\n") >= 3)
    assert progress_threads() == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("stderr", "term", "draws"),
    [(Terminal(), "xterm", True), (Terminal(), "dumb", False), (io.StringIO(), "xterm", False)],
)
def test_auto_draws_a_bar_only_on_a_terminal_that_can(
    stderr: io.StringIO, term: str, draws: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", stderr)
    with track("score", 100):
        wait_until(lambda: "score" in stderr.getvalue())
    assert ("\x1b[" in stderr.getvalue()) == draws


@pytest.mark.usefixtures("impatient")
def test_bar_shows_names_as_they_are_and_keeps_stdout_free(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("COLUMNS", "120")
    with track("[bold]score", 100, mode="rich") as tracker:
        tracker.advance(10, {"[red]": 10})
        wait_until(lambda: "[bold]score: 10/100 rows" in stderr.getvalue() and "[red] 10" in stderr.getvalue())
        print("a result")
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in stderr.getvalue()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("no_color", [False, True])
def test_bar_has_no_colour_where_no_color_is_set(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    with track("score", 100, mode="rich") as tracker:
        tracker.advance(50)
        wait_until(lambda: "50/100" in stderr.getvalue())
    coloured = re.search(r"\x1b\[[0-9;]*(3[0-7]|38;[25];[0-9;]+)m", stderr.getvalue())
    assert (coloured is None) == no_color


def test_bar_without_rich_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(MissingExtra, match=r"pip install 'diptych\[curate\]'"), track("score", 10, mode="rich"):
        pass


def test_unknown_mode_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'plain'"), track("score", 10, mode="plian"):
        pass
