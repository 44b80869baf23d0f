from diptych.reports.links import Range, gallery


def test_everything_hostile_in_a_filter_is_escaped() -> None:
    address = gallery({'a"b:c': "<x>&f=y#z%"}, sort="-a b")
    assert address == "gallery.html#f=a%22b%3Ac:%3Cx%3E%26f%3Dy%23z%25&s=-a%20b"


def test_alternatives_are_repeated() -> None:
    assert gallery({"decision": ["sharp", "large"]}) == "gallery.html#f=decision:sharp&f=decision:large"


def test_range_keeps_every_digit() -> None:
    assert str(Range(0.1 + 0.2, None)) == "0.30000000000000004.."


def test_lone_surrogate_does_not_break_a_link() -> None:
    assert gallery({"model": "\ud800"}) == "gallery.html#f=model:%3F"


def test_no_filter_is_the_gallery_itself() -> None:
    assert gallery({}) == "gallery.html"
    assert gallery({}, selected=3) == "gallery.html#sel=3"
