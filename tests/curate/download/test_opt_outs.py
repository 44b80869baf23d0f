import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.download.opt_outs import refusal

BOTS = frozenset({"kurator", "diptych"})


def headers_of(*lines: str) -> list[tuple[str, str]]:
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@pytest.mark.parametrize(
    "line",
    [
        "noai",
        "NoAI",
        "  noimageai  ",
        "noml",
        "noindex",
        "noimageindex",
        "none",
        "nofollow, noai",
        "noai, max-image-preview:large",
        "max-image-preview:large, noai",
        "max-snippet:-1, max-video-preview: 10, none",
        "noindex, unavailable_after: 25 Jun 2099 15:00:00 PST",
        "unavailable_after: 25 Jun 2099 15:00:00 PST, noai",
        "unavailable_after: Thu, 25 Jun 2099 15:00:00 PST, noai",
        "all, noai",
        "noai; noimageai",
        "all; noai",
        "noarchive noai",
        '"noai"',
        "*: noai",
        "* : noai",
        "robots: noai",
        "diptych: noai",
        "Diptych : NOAI",
        "diptych:noai",
        "diptych/1.0: noai",
        "kurator: noindex",
        "otherbot: all, diptych: noai",
        "otherbot: noindex, diptych: none",
        "diptych: max-image-preview:large, noai",
        "diptych: unavailable_after: 25 Jun 2010 15:00:00 PST",
        "noai: diptych",
        "max-image-preview:large noai",
        "max-image-preview: large noarchive noai",
        "max-snippet:20 noindex",
        "noarchive max-snippet:20 max-video-preview:-1 noai",
        "diptych: max-snippet:20 noindex",
        "max-image-preview=large|noai",
        "noai|noimageai",
        "index/noai",
        "noai=true",
        "(noai)",
        "noai.",
        "noai\xc2\xa0",
        "*noai",
        "bot *: noai",
        "unavailable_after=2010-01-01",
        "unavailable-after: 2010-01-01",
        "unavailable_after 2010-01-01",
        "otherbot: nofollow, noai",
    ],
)
def test_a_no_to_robots_is_a_no_in_every_spelling(line: str) -> None:
    assert refusal(headers_of(f"X-Robots-Tag: {line}"), BOTS) == f"X-Robots-Tag: {line.strip()}"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "all",
        "nofollow",
        "noarchive, nosnippet",
        "index, follow",
        "otherbot: noai",
        "otherbot: noindex, nofollow",
        "otherbot : none",
        "otherbot: noai, googlebot: noindex",
        "diptych: all",
        "max-image-preview:none",
        "max-image-preview: none, max-snippet: 5",
        "unavailable_after: 25 Jun 2099 15:00:00 PST",
        "unavailable_after: Thu, 25 Jun 2099 15:00:00 GMT, follow",
        "otherbot: unavailable_after: 25 Jun 2010 15:00:00 PST",
        "noaiming",
        "max-image-preview=none",
        "max-image-preview:none max-snippet:5",
        "otherbot: max-snippet:20 noindex",
        "unavailable_after=2099-01-01",
        "unavailable_after 2099-01-01",
        "not-noai, noai-not",
    ],
)
def test_what_is_no_no_to_us_is_none(line: str) -> None:
    assert refusal(headers_of(f"X-Robots-Tag: {line}"), BOTS) is None


@pytest.mark.parametrize(
    ("date", "is_no"),
    [
        ("25 Jun 2010 15:00:00 PST", True),
        ("Friday, 25-Jun-10 15:00:00 UTC", True),
        ("Fri, 25 Jun 2010 15:00:00 GMT", True),
        ("2010-06-25", True),
        ("2010-06-25T15:00:00Z", True),
        ("2099-06-25T15:00:00+02:00", False),
        ("2099-06-25", False),
        ("Thursday, 25-Jun-2099 15:00:00 UTC", False),
        ("June 25, 2099", False),
        ("Thursday, June 25, 2099 15:00:00 PST", False),
        ("25 June, 2099, follow", False),
        ("25 Jun 2099", False),
        ("2099-06-25 15:00:00 PST", False),
        ("2099-06-25 15:00 +0200", False),
        ("June 25, 2010", True),
        ("2010-06-25 15:00:00 PST", True),
        ("2099-06-25 15:00:00 PST noai", True),
        ("25 Jun 2099 15:00:00 PST noai", True),
        ("June 25, 2099, noai", True),
        ("noai, 2099-06-25", True),
        ("2099-06-25, noai", True),
        ("June 2099", True),
        ("soon", True),
        ("", True),
    ],
)
def test_a_picture_is_refused_once_its_time_is_over_or_unreadable(date: str, is_no: bool) -> None:
    assert (refusal(headers_of(f"X-Robots-Tag: unavailable_after: {date}"), BOTS) is not None) == is_no


@pytest.mark.parametrize(
    ("lines", "is_no"),
    [
        (["TDM-Reservation: 1"], True),
        (["tdm-reservation:1"], True),
        (["TDM-Reservation: 0"], False),
        (["TDM-Reservation: 0", "TDM-Reservation: 1"], True),
        (["TDM-Reservation: 1", "TDM-Reservation: 0"], True),
        (["TDM-Reservation: 0, 1"], True),
        (["TDM-Reservation: 0, 0"], False),
        (["TDM-Reservation: false"], False),
        (["TDM-Reservation: no"], False),
        (["TDM-Reservation: ?0"], False),
        (["TDM-Reservation: 00"], False),
        (["TDM-Reservation: "], False),
        (["TDM-Reservation: 0;policy=x"], False),
        (['TDM-Reservation: "0" ; policy="https://example.com/1"; a=1'], False),
        (["TDM-Reservation: 0;policy=x, 1"], True),
        (["TDM-Reservation: 1;policy=0"], True),
        (["TDM-Reservation: 0; 1"], True),
        (["TDM-Reservation: ?1"], True),
        (["TDM-Reservation: 01"], True),
        (["TDM-Reservation: reserved=1"], True),
        (["TDM-Reservation: 1; https://example.com/policy"], True),
        (["TDM-Reservation: true"], True),
        (["TDM-Policy: https://example.com/policy"], False),
        (["Content-Signal: ai-train=no"], True),
        (["Content-Signal: search=yes, ai-input=yes, AI-Train = NO"], True),
        (["Content-Signal: search=yes", "Content-Signal: ai-train=no"], True),
        (["Content-Signal: search=no, ai-input=no, ai-train=yes"], False),
        (["Content-Signal: ai-train=nothing-said"], False),
        (["Content-Signal: ai-train=false"], True),
        (["Content-Signal: ai-train=0"], True),
        (["Content-Signal: ai-train='no'"], True),
        (["Content-Signal: ai_train=disallow"], True),
        (["Content-Signal: ai-train=01, ai-train=true, ai-train='yes'"], False),
        (["Content-Usage: train-ai=n"], True),
        (["Content-Usage: search=y, train-genai=n;exceptions=cc-cr"], True),
        (["Content-Usage: bots=n"], True),
        (["Content-Usage: all=n"], True),
        (["Content-Usage: ai=n"], True),
        (["Content-Usage: tdm=y, genai=n"], True),
        (["Content-Usage: inference=n"], True),
        (["Content-Usage: ai-use=n, train-ai=y"], True),
        (["Content-Usage: ai=y, genai=y, inference=y, search=n, ai-output=n"], False),
        (["Content-Usage: train-ai;allow=n, train-ai=y"], False),
        (["Content-Usage: tdm=?0"], True),
        (["Content-Usage: train-ai=y, search=n"], False),
        (["Content-Usage: no-train-ai=n"], False),
        (["X-Robots-Tag: all", "X-Robots-Tag: noimageai"], True),
        (["X-Robots-Tag: otherbot: noai", "X-Robots-Tag: noai"], True),
    ],
)
def test_of_several_lines_and_headers_the_no_counts(lines: list[str], is_no: bool) -> None:
    assert (refusal(headers_of(*lines), BOTS) is not None) == is_no


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_whatever_a_header_holds_it_is_read(value: str) -> None:
    for prefix in ("", "unavailable_after: ", "diptych: "):
        refusal([("X-Robots-Tag", prefix + value), ("TDM-Reservation", value)], BOTS)


def test_a_header_of_many_names_is_read_to_its_end() -> None:
    assert refusal([("X-Robots-Tag", "*:" * 5000 + "noai")], BOTS) is not None
