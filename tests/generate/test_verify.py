"""Verify: images made again are the same, and what is not is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_dataset import good_rows, make_dataset

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.errors import DataError
from diptych.generate import verify as verify_module
from diptych.generate.plan import GenerationPlan, make_plan
from diptych.generate.run import generate
from diptych.generate.verify import Compared, stored_config, verify, verify_directory

MakePlan = Callable[..., GenerationPlan]


@pytest.fixture
def made(plan_of: MakePlan, tmp_path: Path) -> Path:
    settings = [{"steps": 2, "size": 64, "sampler": ["euler_a", "ddim"]}]
    generate(plan_of("sd", settings=settings, samples=3, rows_per_shard=7), tmp_path / "out", progress="none")
    return tmp_path / "out"


def test_images_come_out_the_same_among_other_neighbours(made: Path) -> None:
    found = verify_directory(made, (), 7, "none")
    assert sum(one.images for one in found) == sum(one.identical for one in found) == 7
    assert all((one.largest, one.psnr_db) == (0, None) for one in found)
    every = verify_directory(made, (), 1000, "none")
    assert [(one.model, one.setting, one.images, one.identical) for one in every] == [
        ("sd", "euler_a-2-64px", 9, 9),
        ("sd", "ddim-2-64px", 9, 9),
    ]


def test_what_came_out_otherwise_is_measured(made: Path, plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    render = verify_module.Renderers.render

    def brighter(self: Any, group: Any, rows: Any) -> Any:
        pixels = render(self, group, rows)
        again = [one.copy() for one in pixels]
        for one in again:
            one[0, 0, 0] ^= 1
        return again

    monkeypatch.setattr(verify_module.Renderers, "render", brighter)
    first, second = verify_directory(made, (), 1000, "none")
    assert (first.images, first.identical, first.largest) == (9, 0, 1)
    assert first.psnr_db == pytest.approx(10 * np.log10(255**2 * 64 * 64 * 3))
    assert second == Compared("sd", "ddim-2-64px", 9, 0, 1, first.psnr_db)


def test_other_weights_are_found_before_anything_is_made(
    made: Path, models: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copytree(models("sd"), tmp_path / "other")
    config = tmp_path / "other" / "vae" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"scaling_factor": 0.3}))
    with pytest.raises(DataError, match=r"4 of 4 images have other keys|\d of \d images have other keys"):
        verify_directory(made, (f"models.sd.path_or_id={tmp_path / 'other'}",), 4, "none")


def test_a_model_that_moved_is_named_by_an_override(made: Path, models: Callable[[str], str], tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "moved")
    (one, *_) = verify_directory(made, (f"models.sd.path_or_id={tmp_path / 'moved'}",), 2, "none")
    assert one.identical == one.images


def test_a_row_without_an_image_is_the_same_only_as_one_without(
    plan_of: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("sd", settings=[{"steps": 1, "size": 64}])
    with monkeypatch.context() as patch:
        patch.setattr(verify_module.Renderers, "render", lambda self, group, rows: [None] * len(rows))
        generate(plan, tmp_path / "out", progress="none")
        (same,) = verify(open_dataset(tmp_path / "out"), plan, count=3, progress="none")
        assert (same.images, same.identical) == (3, 3)
    (other,) = verify(open_dataset(tmp_path / "out"), plan, count=3, progress="none")
    assert (other.images, other.identical, other.largest) == (3, 0, 255)


def test_an_image_that_cannot_be_made_again_says_why(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, group: Any, rows: Any) -> Any:
        raise DataError(f"{group.label}: the memory of cpu ran out")

    monkeypatch.setattr(verify_module.Renderers, "render", full)
    first, second = verify_directory(made, (), 1000, "none")
    assert (first.identical, first.not_made) == (0, "sd, euler_a-2-64px: the memory of cpu ran out")
    assert second == Compared("sd", "ddim-2-64px", 9, 0, 255, None, "sd, ddim-2-64px: the memory of cpu ran out")
    result = CliRunner().invoke(main, ["--progress", "none", "generate", "verify", str(made), "--count", "18"])
    assert result.exit_code == 1
    assert "ddim-2-64px: 0 of 9 identical; not made again: sd, ddim-2-64px: the memory of cpu ran out" in result.output


def test_a_dataset_that_was_not_generated_is_refused(tmp_path: Path) -> None:
    path = make_dataset(tmp_path / "pairs", good_rows(2)).path
    with pytest.raises(DataError, match="not a dataset that diptych generate made"):
        verify_directory(path, (), 2, "none")


def test_all_images_have_other_neighbours_too(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render, batches = verify_module.Renderers.render, []

    def noted(self: Any, group: Any, rows: Any) -> Any:
        batches.append([row.seed for row in rows])
        return render(self, group, rows)

    monkeypatch.setattr(verify_module.Renderers, "render", noted)
    verify_directory(made, (), 1000, "none")
    verified, batches[:] = list(batches), []
    config = stored_config(open_dataset(made), (), made.parent)
    generate(make_plan(config, with_weights=True, progress="none"), made.parent / "again", progress="none")
    assert not {tuple(batch) for batch in verified} & {tuple(batch) for batch in batches if len(batch) > 1}
