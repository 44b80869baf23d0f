"""Images of a report are beside each other where their prompts have one name and one text, as they are compared."""

from diptych.reports.read.pairs import pairs_of

COLUMNS = {
    "model": ["a", "b", "b", None, "a"],
    "benchmark": ["unnamed"] * 5,
    "prompt_id": ["1", "1", "1", "1", None],
    "caption": ["a dog", "a  dog", "a castle", "a dog", None],
    "dataset": ["one", "two", "two", "one", "one"],
    "seed": [None, 7, None, None, None],
    "sample": [0, 0, 0, 0, 0],
}


def test_text_counts_where_the_datasets_tell_of_the_set() -> None:
    columns = {**COLUMNS, "seed": [None] * 5}
    assert pairs_of(columns, {"one": ["unnamed"], "two": ["unnamed"]}) == [0, 0, 1, -1, -1]
    assert pairs_of(columns, {"one": ["unnamed"]}) == [0, 0, 0, -1, -1], "captions of the other may be anything"
    assert pairs_of(COLUMNS, {}) == [0, 1, 0, -1, -1], "a seed goes before a sample"
