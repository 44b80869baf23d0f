import pytest
from own_detectors import TARGET, OwnDetector

from diptych.errors import ConfigError
from diptych.judges.boxes import DETECTORS, make_detector


def test_detector_is_made_by_kind_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DETECTORS, "own", TARGET)
    made = make_detector("own", {"name": "mine"})
    assert isinstance(made, OwnDetector)
    assert made.identity == {"detector": "mine"}


def test_unknown_kind_names_the_nearest_and_all() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown detector 'center_point'; did you mean 'centre_point'\? Known: centre_point"
    ):
        make_detector("center_point", {})
