"""The seed rule: what is asked beside a prompt changes no image of it, and sets share the images of their prompts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generated_runs import counting, table_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diptych.generate.plan import GenerationPlan
from diptych.generate.run import generate

MakePlan = Callable[..., GenerationPlan]


def rows_by_text(plan: GenerationPlan) -> dict[str, list[str]]:
    """Return the keys of all rows by the text that is asked for."""
    found: dict[str, list[str]] = {}
    for row in plan.row_ids():
        image = plan.image(row.image)
        found.setdefault(image.asked.text, []).append(plan.key(plan.group_of(row.image), image, row.copy))
    return found


def every_key(plan: GenerationPlan) -> set[str]:
    keys = [key for found in rows_by_text(plan).values() for key in found]
    assert len(set(keys)) == len(keys) == plan.rows
    return set(keys)


WORDS = ["cat", "dog", "fish", "a tree", "cat dog"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
    two=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    line=st.sampled_from(WORDS),
    random=st.randoms(use_true_random=False),
)
def test_what_is_asked_beside_it_changes_no_image(
    one: list[str], two: list[str], line: str, random: Any, plan_texts: MakePlan
) -> None:
    before = every_key(plan_texts({"one": one, "two": two}))
    on_top = rows_by_text(plan_texts({"one": [line, *one], "two": two}))
    assert before < {key for keys in on_top.values() for key in keys}, "a line on top"
    assert every_key(plan_texts({"other": one, "names": two})) == before, "other names"
    assert every_key(plan_texts({"two": two, "one": one})) == before, "another order of sets"
    shuffled = random.sample(one, len(one))
    assert every_key(plan_texts({"one": shuffled, "two": two})) == before, "another order of lines"
    assert before < every_key(plan_texts({"three": ["boat"], "one": one, "two": two})), "a further set"
    assert before < every_key(plan_texts({"one": one, "two": two}, samples=3)), "further samples"
    assert before < every_key(plan_texts({"one": one, "two": two}, settings=[{"steps": [2, 3, 4]}]))


def test_a_prompt_that_two_sets_have_is_one_image_with_a_row_in_each(plan_texts: MakePlan) -> None:
    alone = rows_by_text(plan_texts({"one": ["cat", "dog", "cat"]}))
    plan = plan_texts({"one": ["cat", "dog", "cat"], "two": ["fish", "cat"]})
    assert (plan.images, plan.rows) == (4 * 4, 5 * 4)
    found = rows_by_text(plan)
    assert set(alone["cat"]) < set(found["cat"])
    assert len(found["cat"]) == len(alone["cat"]) + 4
    assert alone["dog"] == found["dog"]


@pytest.mark.parametrize("rows_per_shard", [100, 3, 1])
def test_an_image_of_two_sets_is_rendered_once(rows_per_shard: int, plan_texts: MakePlan, tmp_path: Path) -> None:
    sets = {"one": ["cat", "dog", "cat"], "two": ["fish", "cat"]}
    plan = plan_texts(sets, rows_per_shard=rows_per_shard)
    with counting() as rendered:
        generate(plan, tmp_path / "out", progress="none")
    assert (rendered.total(), max(rendered.values())) == (plan.images, 1)
    rows = table_of(tmp_path / "out").to_pylist()
    assert len({row["key"] for row in rows}) == len(rows) == plan.rows
    shared = [row for row in rows if row["caption"] == "cat" and row["prompt_id"] in ("1", "2")]
    assert {(row["benchmark"], row["prompt_id"]) for row in shared} == {("one", "1"), ("two", "2")}
    pictures = {(row["benchmark"], row["setting"], row["sample"]): row["image"]["bytes"] for row in shared}
    assert len(pictures) == 8
    assert all(data == pictures["one", setting, sample] for (_, setting, sample), data in pictures.items())


def test_sets_that_ask_for_more_or_fewer_samples_share_what_both_ask_for(plan_texts: MakePlan, tmp_path: Path) -> None:
    plan = plan_texts({"one": ["cat"], "two": ["cat"]}, samples={"one": 1, "two": 3})
    assert (plan.images, plan.rows) == (2 * 3, 2 * 4)
    alone = plan_texts({"two": ["cat"]}, samples={"two": 3})
    assert every_key(alone) < every_key(plan)
    with counting() as rendered:
        generate(plan, tmp_path / "out", progress="none")
    assert rendered.total() == plan.images
    rows = table_of(tmp_path / "out").to_pylist()
    assert [(row["benchmark"], row["sample"]) for row in rows[:4]] == [("one", 0), ("two", 0), ("two", 1), ("two", 2)]
