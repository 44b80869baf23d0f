import math
from collections import Counter

import pytest

from diptych.demo.world.faults import FAULTS
from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.languages import LANGUAGES
from diptych.demo.world.plan import MIN_ROWS, OCCUPATION_WEIGHTS, ORANGE_PERCENT, WebRow, count_of, plan_rows

ROWS = plan_rows(2000)
SMALL = plan_rows(MIN_ROWS)
COPIES = {name for name, fault in FAULTS.items() if fault.where == "copy"}
IN_CAPTION = {name for name, fault in FAULTS.items() if fault.where == "caption"}


def rows_with(fault: str, rows: tuple[WebRow, ...] = ROWS) -> list[WebRow]:
    return [row for row in rows if fault in row.faults]


@pytest.mark.parametrize("rows", [SMALL, ROWS], ids=["100", "2000"])
def test_every_fault_occurs_as_often_as_its_table_says(rows: tuple[WebRow, ...]) -> None:
    found = Counter(fault for row in rows for fault in row.faults)
    assert found == {name: count_of(name, len(rows)) for name in FAULTS}


def test_plan_depends_on_count_and_seed_alone() -> None:
    assert plan_rows(200) == plan_rows(200)
    assert {row.scene.seed for row in plan_rows(200, seed=1)}.isdisjoint(row.scene.seed for row in plan_rows(200))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="99 rows cannot hold every fault; the least is 100"):
        plan_rows(MIN_ROWS - 1)


def test_paths_are_unique() -> None:
    assert len({row.path for row in ROWS}) == len(ROWS)


def test_row_has_at_most_one_fault_of_its_picture_and_one_of_its_caption() -> None:
    for row in ROWS:
        assert row.fault not in IN_CAPTION
        assert row.caption_fault in {"", *IN_CAPTION}
    assert any(len(row.faults) == 2 for row in ROWS)


def test_copy_shows_the_scene_of_its_group_and_the_original_is_sound() -> None:
    for row in ROWS:
        original = ROWS[row.group]
        assert row.scene == original.scene
        assert (row.fault in COPIES) == (row.group != row.number)
        assert not (row.fault in COPIES and original.fault)


def test_rows_of_different_groups_show_different_scenes() -> None:
    assert len({row.scene for row in ROWS}) == len({row.group for row in ROWS})


def test_exact_duplicate_is_encoded_as_its_original() -> None:
    for row in rows_with("exact_duplicate"):
        original = ROWS[row.group]
        assert (row.size_px, row.format, row.encoder_quality) == (
            original.size_px,
            original.format,
            original.encoder_quality,
        )


def test_scene_with_sides_is_never_mirrored() -> None:
    assert {row.scene.relation for row in rows_with("mirrored")} <= {None, "above", "below"}


def test_row_without_a_caption_fault_has_a_caption_that_fits() -> None:
    for row in ROWS:
        if not row.caption_fault:
            assert row.caption == row.true_caption


def test_mismatched_caption_is_not_true_by_accident() -> None:
    sources: dict[str, list[WebRow]] = {}
    for row in ROWS:
        sources.setdefault(row.true_caption, []).append(row)
    for row in rows_with("mismatched"):
        assert row.caption is not None
        assert row.caption != row.true_caption
        assert all(source.scene.kinds.isdisjoint(row.scene.kinds) for source in sources[row.caption])


def test_caption_in_another_language_is_of_the_scene_and_not_of_a_figure() -> None:
    found = rows_with("other_language")
    assert {row.language for row in found} == set(LANGUAGES)
    assert all(row.scene.figure is None and row.caption != row.true_caption for row in found)


def test_row_without_words_has_none() -> None:
    assert {row.caption for row in rows_with("no_caption")} == {None}


def test_quality_is_in_range_or_missing_where_there_is_no_picture() -> None:
    for row in ROWS:
        if row.status == "ok":
            assert row.quality is not None
            assert 0.0 <= row.quality <= 1.0
        else:
            assert row.quality is None


def test_sizes_and_formats_are_mixed() -> None:
    assert {row.format for row in ROWS} == {"jpeg", "png", "webp"}
    assert len({row.size_px for row in ROWS}) > 3


@pytest.mark.parametrize("occupation", OCCUPATIONS)
def test_hats_are_unevenly_spread_as_documented(occupation: str) -> None:
    hats = [row.scene.figure.hat for row in ROWS if row.scene.figure and row.scene.figure.occupation == occupation]
    share = ORANGE_PERCENT[occupation] / 100
    spread = math.sqrt(share * (1 - share) / len(hats))
    assert abs(hats.count("orange") / len(hats) - share) < 4 * spread


def test_firefighters_wear_mostly_orange_and_gardeners_mostly_purple() -> None:
    assert ORANGE_PERCENT["firefighter"] == 80
    assert ORANGE_PERCENT["gardener"] == 20
    assert set(ORANGE_PERCENT) == set(OCCUPATION_WEIGHTS) == set(OCCUPATIONS)


def test_some_occupations_are_rarer_than_others_as_documented() -> None:
    figures = [row.scene.figure.occupation for row in ROWS if row.scene.figure]
    total = sum(OCCUPATION_WEIGHTS.values())
    for occupation, weight in OCCUPATION_WEIGHTS.items():
        share = weight / total
        spread = math.sqrt(share * (1 - share) / len(figures))
        assert abs(figures.count(occupation) / len(figures) - share) < 4 * spread
