import pytest
from standing_clock import StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()
