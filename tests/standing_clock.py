"""A clock that stands still until a test moves it, and a tracker on it."""

from diptych.progress.counting import Tracker


class StandingClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make_tracker(clock: StandingClock, total: int | None = 1000, done: int = 0) -> Tracker:
    return Tracker("score", total, unit="rows", done=done, clock=clock)
