import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.download.addresses import MAX_URL_CHARS, is_public, parse_url


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://EXAMPLE.com:443/A?b=C", "https://example.com/A?b=C"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("http://example.com:/a", "http://example.com/a"),
        ("  http://example.com/a b.jpg\n", "http://example.com/a%20b.jpg"),
        ("http://bücher.example/übung.jpg?q=ä", "http://xn--bcher-kva.example/%C3%BCbung.jpg?q=%C3%A4"),
        ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://example.com/%C3%BC%20100%.jpg", "http://example.com/%C3%BC%20100%.jpg"),
        ('http://example.com/<a>"{b}`\\', "http://example.com/%3Ca%3E%22%7Bb%7D%60%5C"),
        ("http://example.com/a#fragment", "http://example.com/a"),
        ("http://example.com?x=1", "http://example.com/?x=1"),
        ("http://some_host.example./a", "http://some_host.example./a"),
        ("http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("http://example.com/\udcff", "http://example.com/%FF"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f000001/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://127.1./", "http://127.0.0.1/"),
        ("http://１２７.０.０.１/", "http://127.0.0.1/"),  # noqa: RUF001 - full-width digits are the point
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ],
)
def test_a_url_takes_its_normal_form(url: str, normal: str) -> None:
    target = parse_url(url)
    assert target.url == normal
    assert parse_url(target.url) == target


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        (" \t", "empty"),
        ("example.com/a.jpg", "scheme ''"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("ftp://example.com/a.jpg", "scheme 'ftp'"),
        ("data:image/png;base64,iVBORw0KGgo=", "scheme 'data'"),
        ("javascript:alert(1)", "scheme 'javascript'"),
        ("http:///a.jpg", "host"),
        ("http:a.jpg", "host"),
        ("http://user:secret@example.com/", "user name or password"),
        ("http://example.com\\@127.0.0.1/", "user name or password"),
        ("http://example.com\\127.0.0.1/", "host"),
        ("http://example.com/a\r\nX-Injected: 1", "control character"),
        ("http://example.com/\x00", "control character"),
        ("http://exa\x7fmple.com/", "control character"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "Port out of range"),
        ("http://example.com:-1/", "Port"),
        ("http://example.com:http/", "Port"),
        ("http://exa mple.com/", "host"),
        ("http://exa%6dple.com/", "host"),
        ("http://a..example/", "label"),
        (f"http://{'a' * 64}.example/", "label"),
        (f"http://{'a.' * 150}example/", "host"),
        ("http://-example.com/", "host"),
        ("http://[::1/", "IPv6"),
        ("http://[fe80::1%25eth0]/", "zone"),
        ("http://[v1.example]/", "v1.example"),
        ("http://1.2.3.4.5/", "illegal IP address"),
        ("http://999.1.1.1/", "illegal IP address"),
        ("http://example.com/\ud800", "surrogates"),
        ("http://example.com/" + "a" * MAX_URL_CHARS, "more than 8192"),
        ("http://example.com/" + "ä" * 2000, "12019 characters when percent-encoded"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_the_reason(url: str | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_url(url)


@given(st.text(), st.sampled_from(["", "http://", "https://h.example/", "http://h.example/?", "http://[", "//"]))
def test_any_text_is_either_refused_or_a_line_of_plain_ascii(text: str, start: str) -> None:
    try:
        target = parse_url(start + text)
    except ValueError:
        return
    assert target.url.isascii()
    assert target.url.isprintable()
    assert " " not in target.url
    assert parse_url(target.url) == target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::93.184.215.14", True),  # NAT64, as resolvers of IPv6-only networks answer
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("192.88.99.1", False),  # 6to4 relays, given up in RFC 7526
        ("3fff::1", False),
        ("5f00::1", False),
        ("100::1", False),
        ("64:ff9b:1::1", False),
        ("2001::1", False),
        ("198.19.255.255", False),
        ("198.20.0.0", True),
        ("192.88.98.1", True),
        ("2001:200::1", True),
    ],
)
def test_only_addresses_of_the_public_internet_are_public(text: str, expected: bool) -> None:
    assert is_public(ipaddress.ip_address(text)) is expected
