"""Rows to pixels: what a plain call gives, whatever the neighbours, the slot, the padding and the texts before."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_pipelines import FAMILIES

from diptych.errors import DataError, Shortage
from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.backends.diffusers.loading import load_pipeline
from diptych.generate.backends.diffusers.noise import generators_of
from diptych.generate.backends.diffusers.recipes import build_scheduler
from diptych.generate.backends.diffusers.render import PipelineRenderer
from diptych.generate.pictures import Pixels
from diptych.generate.plan import GenerationPlan

MakePlan = Callable[..., GenerationPlan]
Models = Callable[[str], str]

# Of each family a setting that asks for everything at once, stochastic where there is such a sampler.
SETTINGS: dict[str, dict[str, Any]] = {
    "sd": {"sampler": "euler_a", "guidance": 6, "negative": "blurry"},
    "sdxl": {"sampler": "euler_a", "guidance": 5, "negative": [None, ""]},
    "sd3": {"sampler": "euler_a", "guidance": 4, "negative": "grey"},
    "flux": {"sampler": "euler_a", "guidance": 3.5},
}


def rows_of(plan: GenerationPlan, group: int = 0) -> tuple[ImageGroup, list[PlannedImage]]:
    first = group * plan.images_per_group
    return plan.groups[group], [plan.image(number) for number in range(first, first + plan.images_per_group)]


def renderer_of(plan: GenerationPlan) -> PipelineRenderer:
    return PipelineRenderer(plan.models, device=plan.config.device, threads=plan.config.threads)  # type: ignore[arg-type]


def images_of(plan: GenerationPlan, rows: list[PlannedImage], group: int = 0) -> list[Pixels]:
    found = renderer_of(plan).render(plan.groups[group], rows)
    return [one for one in found if one is not None]


@pytest.fixture
def rich_plan(plan_of: MakePlan) -> Callable[..., GenerationPlan]:
    """Return a function that plans two images of each of three prompts with a rich setting."""

    def make(name: str, **changes: Any) -> GenerationPlan:
        settings = [{"steps": 3, "size": 64, **SETTINGS[name]}]
        return plan_of(name, **({"settings": settings, "samples": 2} | changes))

    return make


@pytest.mark.parametrize("name", FAMILIES)
def test_an_image_is_what_a_plain_call_of_the_pipeline_gives(name: str, rich_plan: MakePlan) -> None:
    plan = rich_plan(name, batch_size=1)
    for number in range(len(plan.groups)):
        group, rows = rows_of(plan, number)
        pipe = load_pipeline(plan.models[name].folder)
        pipe.scheduler = build_scheduler(group.resolved.recipe.sampler)
        if name in ("sd3", "flux"):
            scheduler, generators = pipe.scheduler, generators_of([rows[0].seed])
            step = scheduler.step  # what these pipelines forget to hand on
            scheduler.step = lambda *a, **k: step(*a, **(k | {"generator": generators}))  # noqa: B023
        else:
            generators = generators_of([rows[0].seed])
        negative = group.resolved.negative_of(None)
        (expected,) = pipe(
            prompt=rows[0].asked.text,
            num_inference_steps=3,
            guidance_scale=group.resolved.guidance,
            width=64,
            height=64,
            generator=generators,
            **({"negative_prompt": negative} if name != "flux" else {}),
        ).images
        (found,) = images_of(plan, rows[:1], number)
        assert np.abs(np.asarray(expected, np.int32) - found.astype(np.int32)).max() <= 1
        assert found.shape == (64, 64, 3)
        assert found.std() > 1, "not a flat picture"


def test_true_guidance_of_flux_is_what_a_plain_call_gives(plan_of: MakePlan, models: Models) -> None:
    choice = {"path_or_id": models("flux"), "options": {"true_cfg_scale": 3.0, "max_sequence_length": 64}}
    settings = [{"steps": 3, "size": 64, "negative": "grey"}]
    plan = plan_of("flux", models={"flux": choice}, settings=settings, batch_size=1)
    _, rows = rows_of(plan)
    (expected,) = load_pipeline(plan.models["flux"].folder)(
        prompt=rows[0].asked.text,
        negative_prompt="grey",
        true_cfg_scale=3.0,
        max_sequence_length=64,
        num_inference_steps=3,
        width=64,
        height=64,
        generator=generators_of([rows[0].seed]),
    ).images
    (found,) = images_of(plan, rows[:1])
    assert np.abs(np.asarray(expected, np.int32) - found.astype(np.int32)).max() <= 1


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_neighbours_slot_and_padding_change_no_bit(name: str, dtype: str, rich_plan: MakePlan, models: Models) -> None:
    plan = rich_plan(name, models={name: {"path_or_id": models(name), "dtype": dtype}})
    _, rows = rows_of(plan)
    renderer = renderer_of(plan)
    group = plan.groups[0]
    first = renderer.render(group, rows[:4])
    assert all(one is not None for one in first)
    for order in ([3, 2, 1, 0], [0], [1, 4, 5, 0], [2, 2, 2], [5, 3]):
        again = renderer.render(group, [rows[number] for number in order])
        assert len(again) == len(order)
        for number, pixels in zip(order, again, strict=True):
            if number < 4:
                assert np.array_equal(pixels, first[number])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_global_random_state_is_left_alone_and_does_not_matter(name: str, rich_plan: MakePlan) -> None:
    plan = rich_plan(name)
    _, rows = rows_of(plan)
    images = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            before = torch.get_rng_state()
            images.append(images_of(plan, rows[:2]))
            assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(a, b) for a, b in zip(*images, strict=True))


@pytest.mark.parametrize("name", ["sd3", "flux"])
def test_a_stochastic_sampler_gives_other_images_for_other_seeds(name: str, rich_plan: MakePlan) -> None:
    images = images_of(rich_plan(name), rows_of(rich_plan(name))[1][:2])
    others = images_of(rich_plan(name, seed=1), rows_of(rich_plan(name, seed=1))[1][:2])
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], others[0])


def test_the_number_of_threads_of_the_caller_is_left_as_it_was(rich_plan: MakePlan) -> None:
    before = torch.get_num_threads()
    images_of(rich_plan("sd", threads=3), rows_of(rich_plan("sd", threads=3))[1][:1])
    assert torch.get_num_threads() == before


def test_every_text_is_encoded_once(rich_plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [{"steps": [1, 2], "size": 64, "negative": ["", "x"]}]
    plan = rich_plan("sd", settings=settings)
    renderer = renderer_of(plan)
    encoded: list[str] = []
    from diptych.generate.backends.diffusers.families import StableDiffusion

    encode, encode_negative = StableDiffusion.encode, StableDiffusion.encode_negative
    monkeypatch.setattr(StableDiffusion, "encode", lambda *a: encoded.append(a[2]) or encode(*a))
    monkeypatch.setattr(StableDiffusion, "encode_negative", lambda *a: encoded.append(a[2]) or encode_negative(*a))
    for number in range(len(plan.groups)):
        group, rows = rows_of(plan, number)
        for start in (0, 4):
            renderer.render(group, rows[start : start + 4])
    assert sorted(encoded) == ["", "a house", "a red fish", "two stars above a tree", "x"]


def test_a_full_cache_of_texts_forgets_the_oldest_and_changes_nothing(
    rich_plan: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = rich_plan("sd")
    _, rows = rows_of(plan)
    expected = images_of(plan, rows[:4])
    monkeypatch.setattr("diptych.generate.backends.diffusers.render.TEXT_CACHE_BYTES", 20_000)
    renderer = renderer_of(plan)
    for _ in range(2):
        found = renderer.render(plan.groups[0], rows[:4])
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))  # type: ignore[arg-type]
        assert len(renderer._texts) < 4


def test_a_pipeline_without_a_family_runs_one_image_at_a_time(plan_of: MakePlan) -> None:
    plan = plan_of("lcm", batch_size=1, settings=[{"steps": 2, "size": 64, "guidance": 3}], samples=2)
    _, rows = rows_of(plan)
    first, second = (images_of(plan, [row])[0] for row in rows[:2])
    assert first.shape == (64, 64, 3)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, images_of(plan, rows[:1])[0])


def test_values_that_are_no_numbers_are_no_picture(plan_of: MakePlan, models: Models, tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    pipe = load_pipeline(plan_of("sd").models["sd"].folder)
    with torch.no_grad():
        pipe.vae.decoder.conv_out.bias.fill_(float("nan"))
    pipe.vae.save_pretrained(tmp_path / "sd" / "vae")
    plan = plan_of("sd", models={"sd": {"path_or_id": str(tmp_path / "sd")}})
    assert renderer_of(plan).render(plan.groups[0], rows_of(plan)[1][:2]) == [None, None]


def test_a_safety_checker_is_never_loaded(plan_of: MakePlan, models: Models, tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    path = tmp_path / "sd" / "model_index.json"
    index = json.loads(path.read_text())
    index |= {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "requires_safety_checker": True}
    path.write_text(json.dumps(index))
    plan = plan_of("sd", models={"sd": {"path_or_id": str(tmp_path / "sd")}})
    assert plan.identities["sd"] == plan_of("sd").identities["sd"]
    images = images_of(plan, rows_of(plan)[1][:1])
    assert np.array_equal(images[0], images_of(plan_of("sd"), rows_of(plan_of("sd"))[1][:1])[0])


def test_a_pipeline_that_gives_something_else_is_refused(plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    class Given:
        images = torch.zeros(1, 4, 64, 64)

    plan = plan_of("sd", batch_size=1)
    monkeypatch.setattr(diffusers.StableDiffusionPipeline, "__call__", lambda self, **arguments: Given)
    with pytest.raises(DataError, match="sd, default-4-64px: the pipeline does not give one RGB image for each prompt"):
        renderer_of(plan).render(plan.groups[0], rows_of(plan)[1][:1])


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    import diffusers

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(diffusers.StableDiffusionPipeline, "__call__", call)


def test_memory_that_runs_out_names_the_batch_size_and_never_shrinks_it(
    plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("sd")
    failing(monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"))
    with pytest.raises(Shortage, match=r"sd, default-4-64px: the memory of \w+ ran out: batch_size 4 of 64x64 is too"):
        renderer_of(plan).render(plan.groups[0], rows_of(plan)[1][:1])


def test_the_refusal_of_a_pipeline_names_model_and_setting(plan_of: MakePlan, models: Models) -> None:
    choice = {"path_or_id": models("sd"), "options": {"clip_skip": "two"}}
    plan = plan_of("sd", models={"sd": choice})
    with pytest.raises(DataError, match="sd, default-4-64px: the pipeline refuses: ") as caught:
        renderer_of(plan).render(plan.groups[0], rows_of(plan)[1][:1])
    assert "\n" not in str(caught.value)


def test_a_pipeline_that_draws_from_the_global_state_is_refused(
    plan_of: MakePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    import diffusers

    plan, call = plan_of("sd"), diffusers.StableDiffusionPipeline.__call__

    def leaking(self: Any, *args: Any, **kwargs: Any) -> Any:
        torch.randn(1)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(diffusers.StableDiffusionPipeline, "__call__", leaking)
    with torch.random.fork_rng(devices=[]), pytest.raises(DataError, match="draws from the global random state"):
        renderer_of(plan).render(plan.groups[0], rows_of(plan)[1][:1])


def test_sizes_of_sdxl_can_be_written_in_yaml(plan_of: MakePlan, models: Models) -> None:
    choice = {"path_or_id": models("sdxl"), "options": {"target_size": [64, 32], "crops_coords_top_left": [0, 8]}}
    settings = [{"steps": 2, "size": 64}]
    plan, plain = plan_of("sdxl", models={"sdxl": choice}, settings=settings), plan_of("sdxl", settings=settings)
    rows = [plan.image(0)]
    (asked,), (own,) = (renderer_of(each).render(each.groups[0], rows) for each in (plan, plain))
    assert asked is not None
    assert own is not None
    assert (asked != own).any(), "they take part"
