"""Batches count as made when they are written: a run that was killed goes on within its shard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import own_backend
import pytest
from generated_runs import digests

from diptych.generate import kept
from diptych.generate.estimate import estimate
from diptych.generate.plan import GenerationPlan
from diptych.generate.run import generate

PlanTexts = Callable[..., GenerationPlan]


@pytest.fixture
def small(plan_texts: PlanTexts, monkeypatch: pytest.MonkeyPatch) -> GenerationPlan:
    """Plan 24 images in one shard of batches of two, each of which takes long enough to be kept."""
    monkeypatch.setattr(kept, "EVERY_S", 0.0)
    return plan_texts({"a": ["a", "b", "c", "d", "e", "f"]}, batch_size=2)


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], list[int]]:
    """Return a function that lets grey make so many batches and then be interrupted; it returns what was made."""
    render = own_backend.GreyRenderer.render

    def after(batches: int | None) -> list[int]:
        made: list[int] = []

        def counted(self: Any, group: Any, images: Any) -> Any:
            if len(made) == batches:
                raise KeyboardInterrupt
            made.append(len(images))
            return render(self, group, images)

        monkeypatch.setattr(own_backend.GreyRenderer, "render", counted)
        return made

    return after


def test_a_run_that_was_killed_renders_no_batch_again_that_was_written(
    small: GenerationPlan, breaking: Callable[[int | None], list[int]], tmp_path: Path
) -> None:
    generate(small, tmp_path / "undisturbed", progress="none")
    out = tmp_path / "out"
    for batches in (5, 3):
        breaking(batches)
        with pytest.raises(KeyboardInterrupt):
            generate(small, out, progress="none")
        assert not list(out.glob("data/*.parquet"))
    assert estimate(small, out)["images_done"] == 16
    made = breaking(None)
    assert generate(small, out, progress="none").rendered == 8
    assert sum(made) == 8
    assert digests(out) == digests(tmp_path / "undisturbed")
    assert not (out / kept.FOLDER).exists()


def test_what_was_damaged_of_it_is_made_again(
    small: GenerationPlan, breaking: Callable[[int | None], list[int]], tmp_path: Path
) -> None:
    generate(small, tmp_path / "undisturbed", progress="none")
    out = tmp_path / "out"
    breaking(4)
    with pytest.raises(KeyboardInterrupt):
        generate(small, out, progress="none")
    first, second, *_ = sorted((out / kept.FOLDER).glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:100])
    second.with_name(f"{second.name}.json").write_text("{")
    breaking(None)
    assert generate(small, out, progress="none").rendered == 24 - 2 * 2
    assert digests(out) == digests(tmp_path / "undisturbed")


def test_quick_batches_are_written_together_or_not_at_all(
    plan_texts: PlanTexts, breaking: Callable[[int | None], list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "EVERY_S", 1e9)
    breaking(5)
    with pytest.raises(KeyboardInterrupt):
        generate(plan_texts({"a": ["a", "b", "c", "d", "e", "f"]}, batch_size=2), tmp_path / "out", progress="none")
    assert not (tmp_path / "out" / kept.FOLDER).exists()
