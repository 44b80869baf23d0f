"""Results as text: two rows of a table never look alike."""

import re
from typing import Any

from diptych.evaluate.terminal import format_results


def result(**values: Any) -> dict[str, Any]:
    plain = {
        "run_id": "r",
        "metric": "m",
        "identity_id": "i",
        "dataset": "one",
        "groups": {"model": "a"},
        "value": 1.0,
        "unit": "",
    }
    return {
        **plain,
        "ci_low": 0.5,
        "ci_high": 1.5,
        "n": 5,
        "n_unscored": 0,
        "reason": None,
        "note": None,
        "caution": None,
        **values,
    }


def lines_of(**found: Any) -> list[str]:
    everything = {"runs": [{"run_id": "r", "name": "first"}], "results": [], "differences": [], "audits": [], **found}
    return [line for line in format_results(everything) if line]


def test_the_dataset_is_named_where_there_are_several() -> None:
    (_, alone) = lines_of(results=[result()])
    assert "one" not in alone
    first, second, whole = lines_of(results=[result(), result(dataset="two"), result(groups={})])[1:]
    assert "one: a" in first
    assert "two: a" in second
    assert whole.split()[1] == "one"


def test_a_group_that_nobody_knows_is_not_the_whole() -> None:
    rows = [result(groups={"class": value}) for value in (None, "", "cook")]
    assert [line.split()[1] for line in lines_of(results=rows)[1:]] == ["none", '""', "cook"]


def test_differences_of_two_datasets_are_told_apart() -> None:
    row = {
        **result(groups={}),
        "a": "x",
        "b": "y",
        "p_adjusted": 0.5,
        "detectable": None,
        "margin": None,
        "n_clusters": 3,
    }
    first, second = lines_of(differences=[row, {**row, "dataset": "two"}])[1:]
    assert "one: x - y" in first
    assert "two: x - y" in second


def test_numbers_of_two_runs_are_told_apart() -> None:
    runs = [{"run_id": "r", "name": "first"}, {"run_id": "s", "name": "second"}]
    rows = [result(run_id=run) for run in "rs"]
    of_results = lines_of(runs=runs, results=rows)[1:]
    assert ["first: a" in of_results[0], "second: a" in of_results[1]] == [True, True]
    differences = [
        {
            **row,
            "groups": {},
            "a": "x",
            "b": "y",
            "p_adjusted": 0.5,
            "detectable": None,
            "margin": None,
            "n_clusters": 3,
        }
        for row in rows
    ]
    told = lines_of(runs=runs, differences=differences)[1:]
    assert ["first: x - y" in told[0], "second: x - y" in told[1]] == [True, True]
    audits = [
        {**row, "attribute": "red", "share": 0.5, "k": 2, "null_low": 0.1, "null_high": 0.9, "groups": {}}
        for row in rows
    ]
    assert ["first: one" in line for line in lines_of(runs=runs, audits=audits)[1:]] == [True, False]


def test_a_difference_says_at_how_many_images_it_is() -> None:
    """A bare 60 was shown like a value of a group."""
    groups = {"category": "counting", "left_out_b": 4, "equal_n": 60}
    row = {
        **result(groups=groups),
        "a": "x",
        "b": "y",
        "p_adjusted": 0.5,
        "detectable": None,
        "margin": None,
        "n_clusters": 3,
    }
    (line,) = lines_of(differences=[row])[1:]
    assert "x - y (counting, over the images that both have, 4 of y left out, at 60 images" in line


def test_what_rests_on_less_than_it_seems_says_so_beside_its_value() -> None:
    header, few, whole = lines_of(results=[result(caution="24 of 553 prompts"), result(groups={"model": "b"})])
    assert header.split()[-3:] == ["n", "unit", "caution"]
    assert few.split("  ")[-1].strip() == "24 of 553 prompts"
    assert "1 [0.5, 1.5]" in few
    assert whole.endswith(" 5")


def test_numbers_that_cover_all_have_no_column_of_cautions() -> None:
    header, _ = lines_of(results=[result()])
    assert header.endswith("unit")


def test_why_there_is_no_value_stands_neither_under_unit_nor_under_p() -> None:
    nothing = result(value=None, unit="share of questions", reason="nothing_scored", caution="unscored: 2 failed")
    header, line = lines_of(results=[nothing])
    at = header.index("unit"), header.index("caution")
    assert line[at[0] : at[1]].strip() == "share of questions"
    assert line[at[1] :] == "nothing_scored; unscored: 2 failed"
    difference = {
        **nothing,
        "groups": {},
        "a": "x",
        "b": "y",
        "p_adjusted": None,
        "detectable": None,
        "margin": None,
        "n_clusters": 0,
    }
    header, line = lines_of(differences=[difference])
    at = header.index("adjusted p"), header.index("caution")
    assert (line[at[0] : at[1]].strip(), line[at[1] :]) == ("-", "nothing_scored; unscored: 2 failed")


def test_a_share_of_an_audit_says_what_it_rests_on() -> None:
    row = {**result(caution="about one prompt alone"), "attribute": "red", "share": 0.5, "k": 2}
    header, line = lines_of(audits=[{**row, "null_low": 0.1, "null_high": 0.9}])
    assert header.endswith("caution")
    assert line.endswith("0.100 to 0.900  about one prompt alone")


def test_two_groups_that_are_called_the_same_are_told_apart_by_their_columns() -> None:
    kinds = [{"category": "relation"}, {"question_kind": "relation"}, {"category": "pose"}]
    cells = [re.split(r"  +", line)[1] for line in lines_of(results=[result(groups=groups) for groups in kinds])[1:4]]
    assert cells == ["relation (category)", "relation (question_kind)", "pose"]
