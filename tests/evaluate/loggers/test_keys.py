"""What numbers are called in trackers: whatever models and metrics are called, no two are one."""

import re
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from diptych.evaluate.loggers.keys import BEHIND, TAKEN, NumberName, number_keys

TEXTS = st.one_of(
    st.sampled_from(["sd 1.5", "sd_1.5", "SD_1.5", "", "n", "2b", "../x", "numbers", "long" * 90]), st.text(max_size=6)
)
NAMES = st.builds(
    NumberName,
    st.dictionaries(st.sampled_from(["model", "category"]), TEXTS),
    st.sampled_from(["fid", "fid_n", "m.fid", "a.b.fid"]),
    st.sampled_from(["0a", "0b"]),
)


@given(st.lists(NAMES, max_size=12))
def test_no_two_keys_are_one_whatever_case_a_tracker_tells(names: Sequence[NumberName]) -> None:
    keys = [f"{key}{behind}".casefold() for key in number_keys(names) for behind in BEHIND]
    assert len(keys) == len(names) * len(BEHIND)
    assert len({*keys, *TAKEN}) == len(keys) + len(TAKEN)


@example([NumberName({"category": "2b"}, "fid", identity) for identity in ("0a", "0b")])
@given(st.lists(NAMES, max_size=12))
def test_a_key_is_letters_digits_and_underscores_between_slashes_and_begins_with_a_letter(
    names: Sequence[NumberName],
) -> None:
    keys = number_keys(names)
    assert all(re.fullmatch(r"[^\W\d_]\w*(/\w+)*", key) for key in keys)
    assert all(len(f"identity/{key}{behind}") <= 250 for key in keys for behind in BEHIND), "what MLflow takes"


def test_the_columns_stand_in_keys_that_would_be_one_without_them() -> None:
    names = [
        NumberName({"model": "red"}, "m.fid", "0a"),
        NumberName({"category": "red"}, "m.fid", "0a"),
        NumberName({"model": "blue"}, "m.fid", "0a"),
    ]
    assert number_keys(names) == ["model_red/m/fid", "category_red/m/fid", "blue/m/fid"]


def test_a_number_that_is_made_in_two_ways_has_its_identity_in_the_key() -> None:
    names = [NumberName({"model": "xl"}, "fid", identity) for identity in ("0a1b", "2c3d")]
    assert number_keys(names) == ["xl/fid_0a1b", "xl/fid_2c3d"]
