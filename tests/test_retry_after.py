import email.utils
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.retry_after import retry_after_s

WORDS = st.sampled_from(
    ["Fri,", "31", "Dec", "2030", "99999", "23:59:59", "00:" + "9" * 20 + ":00", "GMT", "+" + "9" * 20, "1", "9" * 5000]
)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        (None, None, None),
        ("", None, None),
        ("7", 7, 7),
        (" 0.5 ", 0.5, 0.5),
        ("-7", 0, 0),
        ("nan", None, None),
        ("soon", None, None),
        pytest.param("9" * 5000, math.inf, math.inf, id="digits"),
        ("Mon, 01 Jan 1990 00:00:00 GMT", 0, 0),
        ("Mon, 99 Jan 99999 00:00:00 GMT", None, None),
        ("1 Jan 99999 00:99999999999999999999:00 PST", None, None),
        ("1 Jan 2030 00:00:00 +99999999999999999999", None, None),
    ],
)
def test_the_seconds_are_read_where_a_header_says_some(
    header: str | None, low: float | None, high: float | None
) -> None:
    wait = retry_after_s(header)
    assert wait is low is high if wait is None or low is None or high is None else low <= wait <= high


def test_a_date_to_come_is_the_seconds_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000
    monkeypatch.setattr(time, "time", lambda: float(now))
    assert retry_after_s(email.utils.formatdate(now + 90, usegmt=True)) == 90


@given(st.lists(WORDS, max_size=7))
def test_whatever_a_header_says_is_a_wait_or_none(words: list[str]) -> None:
    wait = retry_after_s(" ".join(words))
    assert wait is None or wait >= 0
