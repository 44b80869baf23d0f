"""Which rows of a dataset depend on each other: of pairs equal files, of generated images those of one prompt."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from sealed import seal_dataset
from tiny_dataset import Row, make_table
from tiny_generated import Made, made_grid, make_generated

from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.data.table import DatasetTable
from diptych.evaluate.inputs.cautions import share_caution
from diptych.evaluate.inputs.scored_rows import ScoredRows


def rows_of(path: Path, role: str) -> ScoredRows:
    return ScoredRows("rows", role, DatasetTable(open_dataset(path)), {})


def units_of(path: Path, role: str) -> list[str]:
    return [str(unit) for unit in rows_of(path, role).units]


def test_of_pairs_equal_files_are_one_unit_and_all_others_their_own(tmp_path: Path) -> None:
    hashes = ["a", "b", "a", "c", "a", None, None]
    table = make_table([Row(None, f"caption {number}") for number in range(len(hashes))])
    table = table.set_column(table.schema.get_field_index("sha256"), "sha256", pa.array(hashes, pa.string()))
    seal_dataset(tmp_path / "pairs", [write_shard(table, tmp_path / "pairs" / "data" / shard_name(0))], {})
    units = units_of(tmp_path / "pairs", "pairs")
    assert units[0] == units[2] == units[4]
    assert len(set(units)) == 3 + 2, "rows without a hash stand for themselves"
    assert units_of(tmp_path / "pairs", "reference") == units
    assert len(set(rows_of(tmp_path / "pairs", "pairs").prompts.tolist())) == 5


def test_of_generated_images_those_of_one_prompt_are_one_unit_though_their_files_differ(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("m",), prompts=4, samples=3))
    units = units_of(tmp_path / "generated", "generated")
    assert [units.index(unit) for unit in units] == [3 * (number // 3) for number in range(12)]


def test_two_prompts_that_share_an_image_are_one_unit_for_every_number(tmp_path: Path) -> None:
    rows = [Made(model, n, benchmark=name) for model in ("a", "b") for name in ("one", "two") for n in range(6)]
    make_generated(tmp_path / "generated", rows)
    units = units_of(tmp_path / "generated", "generated")
    assert units == units[:6] * 4
    assert len(set(units)) == 6
    prompts = rows_of(tmp_path / "generated", "generated").prompts.tolist()
    assert [units.index(unit) for unit in units] == [prompts.index(prompt) for prompt in prompts]


def test_a_reference_has_the_units_that_it_has_when_it_is_judged(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("m",), prompts=4, samples=3))
    assert units_of(tmp_path / "generated", "reference") == units_of(tmp_path / "generated", "generated")


def test_images_of_one_prompt_and_seed_repeat_each_other_under_every_setting(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("m",), prompts=2, samples=3, settings=("s1", "s2")))
    rows = rows_of(tmp_path / "generated", "generated")
    draws = rows.draws.tolist()
    assert [draws.index(draw) for draw in draws] == [*range(6), *range(6)]
    assert rows.units_text(np.flatnonzero(rows.prompts == rows.prompts[0])).startswith("1 prompt of 3 seeds,")
    assert rows.units_text(np.arange(12)) == "2 prompts"


def test_hardly_more_than_one_prompt_is_said_to_be_about_that_one(tmp_path: Path) -> None:
    """Its interval and its band take each image for itself, as those of one prompt do."""
    rows = [Made("m", 0, sample) for sample in range(20)] + [Made("m", prompt) for prompt in (1, 2)]
    make_generated(tmp_path / "generated", rows)
    found = rows_of(tmp_path / "generated", "generated")
    assert found.units_text(np.arange(22)) == "3 prompts, 20 of 22 images of one, about which alone it is"
    assert found.units_text(np.arange(20, 22)) == "2 prompts"
    cautions = [share_caution(found, np.arange(count)) for count in (20, 22)]
    assert cautions == ["about one prompt alone", "20 of 22 images of one prompt"]


def test_images_of_no_known_seed_stand_for_themselves_within_a_prompt(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("m",), prompts=1, samples=4))
    file = tmp_path / "generated" / "data" / shard_name(0)
    table = read_shard(file)
    place = table.schema.get_field_index("seed")
    for name, changed in (
        ("null", table.set_column(place, table.schema.field(place), pa.array([7, None, 7, None], pa.int64()))),
        ("none", table.remove_column(place)),
    ):
        seal_dataset(tmp_path / name, [write_shard(changed, tmp_path / name / "data" / shard_name(0))], {})
        draws = rows_of(tmp_path / name, "generated").draws.tolist()
        assert len(set(draws)) == {"null": 3, "none": 4}[name]


def test_copies_of_one_file_are_one_image_of_its_unit(tmp_path: Path) -> None:
    table = make_table([Row(None, f"caption {number}") for number in range(3)])
    table = table.set_column(table.schema.get_field_index("sha256"), "sha256", pa.array(["a"] * 3, pa.string()))
    seal_dataset(tmp_path / "pairs", [write_shard(table, tmp_path / "pairs" / "data" / shard_name(0))], {})
    assert len(set(rows_of(tmp_path / "pairs", "pairs").draws.tolist())) == 1


def test_groups_by_a_number_have_the_one_that_was_asked_for(tmp_path: Path) -> None:
    rows = [Made("m", n, guidance=guidance) for n in range(2) for guidance in (7.1, 3.3)]
    make_generated(tmp_path / "generated", rows)
    groups = rows_of(tmp_path / "generated", "generated").groups(["guidance"])
    assert [group.values for group in groups] == [{"guidance": 3.3}, {"guidance": 7.1}]
