"""What is shown of a job, and when, on a captured stderr."""

import io
import json
import re
import sys
import threading
import time
from collections.abc import Callable

import pytest
from standing_clock import StandingClock

from diptych import progress
from diptych.errors import ConfigError, MissingExtra
from diptych.progress import displays, track
from diptych.progress.counting import Tracker


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the first line at once and the next ones right after."""
    monkeypatch.setattr(progress, "FIRST_S", 0.01)
    monkeypatch.setattr(displays.LineDisplay, "every_s", 0.01)
    monkeypatch.setattr(displays.RichDisplay, "every_s", 0.01)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen within 10 seconds"
        time.sleep(0.005)


def progress_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "progress"]


@pytest.mark.parametrize("mode", ["plain", "rich", "auto", "none"])
def test_a_short_job_shows_nothing(mode: str, clock: StandingClock, capfd: pytest.CaptureFixture[str]) -> None:
    with track("score", 10, mode=mode, clock=clock) as tracker:
        tracker.advance(10)
    assert capfd.readouterr() == ("", "")


def test_a_long_job_leaves_one_closing_line_on_stderr(clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", 100, mode="plain", clock=clock) as tracker:
        clock.now_s += 50
        tracker.advance(100, {"ok": 99, "timeout": 1})
    assert capsys.readouterr() == ("", "score: 100 rows in 50s, 2 rows/s, 99.0% ok, timeout 1\n")


def test_a_failing_job_says_how_far_it_came(clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(tracker: Tracker) -> None:
        clock.now_s += 50
        tracker.advance(40)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), track("score", 100, mode="plain", clock=clock) as tracker:
        fail(tracker)
    assert capsys.readouterr().err == "score: 40/100 rows (40%) in 50s, then stopped, 0.8 rows/s\n"
    assert progress_threads() == []


def test_mode_none_shows_nothing_and_starts_no_thread(clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
    with track("score", 100, mode="none", clock=clock) as tracker:
        clock.now_s += 50
        tracker.advance(100)
        assert progress_threads() == []
    assert capsys.readouterr() == ("", "")


def test_json_ends_with_an_object_however_short_the_job(
    clock: StandingClock, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_json_writes_null_for_an_unknown_rate(clock: StandingClock, capsys: pytest.CaptureFixture[str]) -> None:
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
    with pytest.raises(MissingExtra, match=r"pip install './diptych\[curate\]'"), track("score", 10, mode="rich"):
        pass


def test_unknown_mode_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'plain'"), track("score", 10, mode="plian"):
        pass
