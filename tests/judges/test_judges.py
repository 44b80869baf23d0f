import own_judges
import pytest

from diptych.errors import ConfigError
from diptych.judges import judge_takes, make_judge


def test_judge_is_made_by_kind_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    made = make_judge("own_boxes", {"name": "mine"})
    assert isinstance(made, own_judges.OwnBoxes)
    assert made.identity["judge"] == "mine"


def test_unknown_kind_is_named_beside_those_that_are_known() -> None:
    with pytest.raises(
        ConfigError, match=r"unknown judge 'center_point'; did you mean 'centre_point' or 'chat_endpoint'\? Known: "
    ):
        make_judge("center_point", {})


def test_factory_says_whether_it_takes_an_encoder() -> None:
    assert not judge_takes("centre_point", "encoder")
