"""The plan: keys, what is left out, the order, the shards, and what models refuse."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_pipelines

from diptych.errors import ConfigError
from diptych.generate.backends.diffusers.pipeline_model import PipelineModel
from diptych.generate.config import GenerateConfig
from diptych.generate.estimate import without_effect
from diptych.generate.plan import GenerationPlan, make_plan

MakePlan = Callable[..., GenerationPlan]
MakeConfig = Callable[..., GenerateConfig]
Models = Callable[[str], str]


def keys(plan: GenerationPlan) -> list[str]:
    return [plan.key(plan.group_of(number), plan.image(number)) for number in range(plan.images)]


def first_key(plan: GenerationPlan) -> str:
    return keys(plan)[0]


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def copied(models: Models, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a model, to change it."""

    def copy(name: str) -> Path:
        target = tmp_path / f"copy-{name}"
        shutil.copytree(models(name), target)
        return target

    return copy


def test_a_key_is_32_hex_digits_and_every_image_has_its_own(plan_of: MakePlan) -> None:
    plan = plan_of("sd", "sdxl", settings=[{"steps": [3, 4], "guidance": [2, 3], "size": 64}], samples=2)
    found = keys(plan)
    assert len(found) == plan.images == 2 * 4 * 3 * 2 == len(set(found))
    assert all(len(key) == 32 and set(key) <= set("0123456789abcdef") for key in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"settings": [{"steps": 5, "size": 64}]},
        {"settings": [{"steps": 4, "size": "72x64"}]},
        {"settings": [{"steps": 4, "size": "64x72"}]},
        {"settings": [{"steps": 4, "size": 64, "guidance": 7.4}]},
        {"settings": [{"steps": 4, "size": 64, "guidance": 1}]},
        {"settings": [{"steps": 4, "size": 64, "sampler": "euler"}]},
        {"settings": [{"steps": 4, "size": 64, "negative": "blurry"}]},
    ],
    ids=str,
)
def test_a_key_changes_with_whatever_decides_a_pixel(changes: dict[str, Any], plan_of: MakePlan) -> None:
    assert first_key(plan_of("sd", **changes)) != first_key(plan_of("sd"))


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 2},
        {"samples": 3},
        {"rows_per_shard": 2},
        {"format": "webp"},
        {"name": "another"},
        {"threads": 2},
        {"settings": [{"steps": 4, "size": 64, "guidance": 7.5}]},  # the pipeline's default, written out
        {"settings": [{"steps": 4}]},  # 64 px is the default of this model
        {"settings": [{"steps": 4, "size": 64, "negative": ""}]},  # of SD the same as none
        {"settings": [{"steps": 4, "size": 64, "sampler": "ddim"}]},  # how this model was saved
    ],
    ids=str,
)
def test_a_key_does_not_change_with_what_decides_none(changes: dict[str, Any], plan_of: MakePlan) -> None:
    assert first_key(plan_of("sd", **changes)) == first_key(plan_of("sd"))


def test_a_key_follows_the_letters_by_the_seed_and_the_ids_that_the_encoder_reads(
    plan_of: MakePlan, prompts: Path
) -> None:
    before = plan_of("sd")
    prompts.write_text(prompts.read_text().replace("a red fish", "A  RED Fish"))
    after = plan_of("sd")
    assert after.texts == before.texts, "CLIP lowers case and joins spaces"
    assert keys(after)[0] != keys(before)[0]
    assert keys(after)[1:] == keys(before)[1:]
    other = dataclasses.replace(before, texts={"sd": ["other ids", *before.texts["sd"][1:]]})
    assert keys(other)[0] != keys(before)[0]
    assert keys(other)[1:] == keys(before)[1:]


def test_a_key_follows_the_weights_and_their_use_not_their_place(
    plan_of: MakePlan, copied: Callable[[str], Path]
) -> None:
    folder = copied("sd")

    def key_of(**changes: Any) -> str:
        return first_key(plan_of("sd", models={"x": {"path_or_id": str(folder)} | changes}))

    before = key_of()
    assert before == first_key(plan_of("sd"))
    change_json(folder / "unet" / "config.json", _diffusers_version="9", _name_or_path="elsewhere")
    change_json(folder / "text_encoder" / "config.json", transformers_version="9", dtype="float16")
    assert key_of() == before
    assert key_of(dtype="bfloat16") != before
    assert key_of(options={"clip_skip": 1}) != before
    change_json(folder / "vae" / "config.json", scaling_factor=0.2)
    assert key_of() != before
    shutil.copy(Path(plan_of("sd").models["sd"].folder.path) / "vae" / "config.json", folder / "vae" / "config.json")
    tiny_pipelines.sd(seed=1).unet.save_pretrained(folder / "unet")
    assert key_of() != before


def test_options_of_a_scheduler_that_nothing_reads_decide_no_key(
    plan_of: MakePlan, copied: Callable[[str], Path]
) -> None:
    folder = copied("sd")
    saved = folder / "scheduler" / "scheduler_config.json"
    found = {}
    for spacing in ("leading", "trailing"):
        for offset in (0, 1):
            change_json(saved, timestep_spacing=spacing, steps_offset=offset)
            plan = plan_of("sd", models={"x": {"path_or_id": str(folder)}})
            found[spacing, offset] = first_key(plan)
    assert found["leading", 0] != found["leading", 1]
    assert found["trailing", 0] == found["trailing", 1] != found["leading", 1]


def test_no_negative_prompt_and_the_empty_one_are_two_for_sdxl(
    plan_of: MakePlan, copied: Callable[[str], Path]
) -> None:
    settings = [{"steps": 4, "size": 64, "negative": [None, ""]}]
    assert len(plan_of("sdxl", settings=settings).groups) == 2
    assert len(plan_of("sd", settings=settings).groups) == 1
    assert len(plan_of("sd3", settings=settings).groups) == 1
    folder = copied("sdxl")
    change_json(folder / "model_index.json", force_zeros_for_empty_prompt=False)
    plan = plan_of("sdxl", settings=settings, models={"x": {"path_or_id": str(folder)}})
    assert [(one.setting, one.same_as) for one in plan.dropped] == [("default-4-64px-n", "x, default-4-64px")]


def test_settings_that_give_equal_images_are_left_out_and_named(plan_of: MakePlan) -> None:
    plan = plan_of(
        "sd",
        settings=[
            {"steps": 4, "size": 64, "guidance": [0, 1, 5], "negative": ["blurry", "Blurry", "grey"]},
            {"steps": 4, "size": 64, "guidance": 5, "negative": "grey"},
        ],
    )
    assert [group.label for group in plan.groups] == [
        "sd, default-4-g0-64px-nblurry",
        "sd, default-4-g5-64px-nblurry",
        "sd, default-4-g5-64px-ngrey",
    ]
    assert len(plan.dropped) == 10 - 3
    assert ("sd", "default-4-g1-64px-ngrey", "sd, default-4-g0-64px-nblurry") in plan.dropped
    assert ("sd", "default-4-g5-64px-ngrey", "sd, default-4-g5-64px-ngrey") in plan.dropped
    assert len(set(keys(plan))) == plan.images
    assert plan.groups[0].resolved.negative_of(plan.image(0).asked.negative) is None, "none took part at guidance 0"


def test_one_model_under_two_labels_is_made_once(
    plan_of: MakePlan, models: Models, copied: Callable[[str], Path]
) -> None:
    choices = {"a": {"path_or_id": models("sd")}, "b": {"path_or_id": str(copied("sd"))}}
    plan = plan_of("sd", models=choices)
    assert [group.model for group in plan.groups] == ["a"]
    assert plan.dropped[0].same_as == "a, default-4-64px"


def test_guidance_of_a_schnell_like_model_decides_nothing(plan_of: MakePlan) -> None:
    settings = [{"steps": 4, "size": 64, "guidance": [1, 3.5]}]
    assert len(plan_of("schnell", settings=settings).groups) == 1
    assert len(plan_of("flux", settings=settings).groups) == 2


def test_seeds_are_shared_by_models_and_settings_and_differ_between_prompts_and_samples(plan_of: MakePlan) -> None:
    plan = plan_of("sd", "flux", settings=[{"steps": [3, 4], "size": 64}], samples=2)
    seeds = [plan.image(number).seed for number in range(plan.images)]
    assert (plan.images, plan.images_per_group, len(set(seeds))) == (24, 6, 6)
    assert all(seeds[first : first + 6] == seeds[:6] for first in range(0, 24, 6))


def test_images_are_in_the_order_of_groups_prompts_and_samples(plan_of: MakePlan) -> None:
    plan = plan_of("sd", settings=[{"steps": [3, 4], "size": 64}], samples=2)
    found = [(plan.group_of(number).label, plan.image(number)) for number in range(plan.images)]
    assert [(label, image.asked.text, image.sample) for label, image in found[5:8]] == [
        ("sd, default-3-64px", "two stars above a tree", 1),
        ("sd, default-4-64px", "a red fish", 0),
        ("sd, default-4-64px", "a red fish", 1),
    ]


def test_without_weights_the_plan_has_the_same_images_though_not_their_keys(config_of: MakeConfig) -> None:
    config = config_of("sd", settings=[{"steps": 4, "guidance": [1, 5], "negative": [None, "x"], "size": 64}])
    quick, whole = (make_plan(config, with_weights=with_weights, progress="none") for with_weights in (False, True))
    assert [group.label for group in quick.groups] == [group.label for group in whole.groups]
    assert quick.dropped == whole.dropped
    assert not set(keys(quick)) & set(keys(whole))


def test_long_prompts_are_counted_for_the_encoders_that_cut_them(plan_of: MakePlan, prompts: Path) -> None:
    prompts.write_text("a cat\n" + "word " * 100 + "\n")
    assert plan_of("sd", "flux").cut == {"sd": 1, "flux": 1}
    assert plan_of("sd").cut == {"sd": 1}
    prompts.write_text("a cat\n")
    assert plan_of("sd", "sd3").cut == {}


def test_prompts_bring_negative_prompts_of_their_own(plan_of: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"prompt": "a cat", "negative": "dog"}\n{"prompt": "a cat"}\n')
    own = [{"kind": "jsonl", "path": str(path)}]
    plan = plan_of("sdxl", prompts=own)
    negatives = [plan.groups[0].resolved.negative_of(asked.negative) for asked in plan.asked]
    assert negatives == ["dog", None]
    low = plan_of("sdxl", prompts=own, settings=[{"steps": 4, "size": 64, "guidance": 1}])
    assert first_key(low) != first_key(plan)
    with pytest.raises(ConfigError, match="a negative prompt, though prompts of jsonl bring their own"):
        plan_of("sdxl", prompts=own, settings=[{"negative": "x"}])
    with pytest.raises(
        ConfigError, match=r"models\.flux: prompts of jsonl have negative prompts, which it does not read"
    ):
        plan_of("flux", prompts=own)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("sd", {"settings": [{"size": 60}]}, r"models\.sd: .* multiples of 8, not 60x60"),
        ("sd3", {"settings": [{"size": 72}]}, r"models\.sd3: .* multiples of 16, not 72x72"),
        ("flux", {"settings": [{"size": "64x72"}]}, r"models\.flux: .* multiples of 16, not 64x72"),
        ("flux", {"settings": [{"negative": "x"}]}, r"models\.flux: .* only with options\.true_cfg_scale above 1"),
        ("flux", {"settings": [{"sampler": "ddim"}]}, r"models\.flux: sampler ddim: there is none for flow models"),
        ("sd", {"settings": [{"steps": 1001}]}, r"models\.sd: 1001 steps; its schedule has 1000"),
        ("lcm", {"batch_size": 2}, r"models\.lcm: LatentConsistencyModelPipeline .* write batch_size: 1"),
        ("lcm", {"batch_size": 1, "settings": [{"negative": "x"}]}, r"models\.lcm: .* takes no negative_prompt"),
        ("sd", {"settings": [{"models": ["sd"]}], "prompts": [{"kind": "txt", "path": "none.txt"}]}, "no such file"),
    ],
)
def test_what_a_model_cannot_do_is_an_error_that_names_it(
    name: str, changes: dict[str, Any], message: str, plan_of: MakePlan
) -> None:
    with pytest.raises(Exception, match=message) as caught:
        plan_of(name, **changes)
    assert type(caught.value).__module__ == "diptych.errors"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_sequence_len": 64}, r"models\.flux\.options: unknown option 'max_sequence_len'; did you mean"),
        ({"true_cfg_scale": 2.0}, r"models\.flux: options\.true_cfg_scale needs a negative prompt in each setting"),
    ],
)
def test_an_option_is_one_of_the_pipelines_call(
    options: dict[str, Any], message: str, plan_of: MakePlan, models: Models
) -> None:
    with pytest.raises(ConfigError, match=message):
        plan_of("flux", models={"flux": {"path_or_id": models("flux"), "options": options}})


def test_true_guidance_of_flux_reads_negative_prompts_and_tells_none_from_empty(
    plan_of: MakePlan, models: Models
) -> None:
    choice = {"path_or_id": models("flux"), "options": {"true_cfg_scale": 2.0}}
    plan = plan_of("flux", models={"flux": choice}, settings=[{"steps": 4, "size": 64, "negative": ["", "x"]}])
    assert len(plan.groups) == 2
    assert all(group.resolved.guides for group in plan.groups)


def test_an_option_that_the_scheduler_would_drop_is_refused(config_of: Any, models: Any) -> None:
    def plan(sampler: str) -> None:
        choice = {"sd": {"path_or_id": models("sd"), "options": {"eta": 0.7}}}
        settings = [{"steps": 4, "size": 64, "sampler": sampler}]
        make_plan(config_of("sd", models=choice, settings=settings), with_weights=False, progress="none")

    plan("ddim")
    with pytest.raises(ConfigError, match=r"models\.sd\.options: EulerDiscreteScheduler .* reads no eta; .*ddim"):
        plan("euler")


@pytest.mark.parametrize(
    ("name", "options", "guidance", "message"),
    [
        ("sd", {"guidance_rescale": 0.7}, 1.0, r"models\.sd\.options: guidance_rescale .*guidance 1 there are none"),
        ("sd3", {"skip_guidance_layers": [0]}, 1.0, r"models\.sd3\.options: skip_guidance_layers takes part only"),
        ("sd3", {"skip_layer_guidance_scale": 2.0}, 5.0, r"skip_layer_guidance_scale needs skip_guidance_layers"),
        ("sdxl", {"negative_original_size": [512, 512]}, 5.0, r"negative_original_size needs negative_target_size, w"),
        ("sdxl", {"negative_target_size": [512, 512]}, 5.0, r"negative_target_size needs negative_original_size, w"),
        (
            "sdxl",
            {"negative_crops_coords_top_left": [64, 64]},
            5.0,
            r"negative_crops_coords_top_left needs negative_original_size and negative_target_size, without",
        ),
        ("sd3", {"mu": 0.5}, 5.0, r"models\.sd3\.options: mu is read only with use_dynamic_shifting"),
    ],
)
def test_an_option_that_would_take_no_part_is_refused(
    name: str, options: dict[str, Any], guidance: float, message: str, plan_of: MakePlan, models: Models
) -> None:
    choice = {"path_or_id": models(name), "options": options}
    with pytest.raises(ConfigError, match=message):
        plan_of(name, models={name: choice}, settings=[{"steps": 4, "guidance": guidance, "size": 64}])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sd", {"guidance_rescale": 0.7}),
        ("sdxl", {"negative_original_size": [512, 512], "negative_target_size": [32, 32]}),
    ],
)
def test_an_option_of_guidance_is_taken_where_there_is_guidance(
    name: str, options: dict[str, Any], plan_of: MakePlan, models: Models
) -> None:
    choice = {"path_or_id": models(name), "options": options}
    (group,) = plan_of(name, models={name: choice}, settings=[{"steps": 4, "guidance": 5.0, "size": 64}]).groups
    assert group.resolved.guides


def test_a_batch_whose_last_numbers_a_processor_takes_in_another_way_is_refused(
    plan_of: MakePlan, models: Models
) -> None:
    choice = {"path_or_id": models("flux"), "batch_size": 3}
    with pytest.raises(ConfigError, match=r"models\.flux: batch_size 3: with layers 48 wide .* a multiple of 2, or 1"):
        plan_of("flux", models={"flux": choice})
    for size in (1, 2, 6):
        assert plan_of("flux", models={"flux": {**choice, "batch_size": size}}).groups[0].batch_size == size


def test_steps_that_begin_beyond_the_schedule_are_refused(plan_of: MakePlan) -> None:
    with pytest.raises(ConfigError, match=r"models\.sd: 1000 steps begin beyond its schedule of 1000; take fewer"):
        plan_of("sd", settings=[{"steps": 1000, "size": 64, "sampler": "ddim"}])


def test_what_takes_no_part_is_said(plan_of: MakePlan) -> None:
    plan = plan_of("sd", settings=[{"steps": 4, "size": 64, "guidance": 1.0, "negative": "bad"}])
    assert without_effect(plan) == ["sd reads no negative prompt with guidance 1: it has no effect"]
    assert without_effect(plan_of("sd", settings=[{"steps": 4, "size": 64, "guidance": [1.0, 3.0]}])) == []


def test_input_images_are_part_of_the_key_and_refused_by_a_model_that_takes_none(
    plan_of: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "edits.jsonl"

    def plan(data: bytes) -> GenerationPlan:
        (tmp_path / "cat.png").write_bytes(data)
        path.write_text('{"prompt": "at night", "images": "cat.png"}')
        return plan_of("sd", prompts=[{"kind": "jsonl", "path": str(path)}])

    with pytest.raises(
        ConfigError, match=r"models\.sd: it takes no input images, which prompts of jsonl have"
    ) as caught:
        plan(b"cat")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(PipelineModel, "takes_images", True)
    cat, dog = plan(b"cat"), plan(b"dog")
    assert first_key(cat) != first_key(dog)
    assert cat.image(0).seed != dog.image(0).seed
    assert cat.image(0).asked.images[0].source == tmp_path / "cat.png"


def test_a_further_column_has_one_type_whatever_set_it_is_from(plan_of: MakePlan, tmp_path: Path) -> None:
    def plan(*values: object) -> GenerationPlan:
        entries = []
        for number, value in enumerate(values):
            path = tmp_path / f"{number}.jsonl"
            path.write_text(json.dumps({"prompt": f"cat {number}", "level": value}))
            entry = {"kind": "jsonl", "name": f"set{number}", "path": str(path), "options": {"carry": ["level"]}}
            entries.append(entry)
        return plan_of("sd", prompts=entries)

    assert plan(1, None, 2).columns == {"level": "int64"}
    assert plan(1, 0.5).columns == {"level": "float64"}
    assert plan(True, False).columns == {"level": "bool"}
    assert plan(None).columns == {"level": "string"}
    message = (
        r"prompts \(set1\): the column 'level' holds texts in the prompt '1', and numbers in the prompt '1' of set0"
    )
    with pytest.raises(ConfigError, match=message):
        plan(1, "high")
