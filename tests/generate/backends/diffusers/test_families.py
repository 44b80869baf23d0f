"""Every family that can be made tiny and offline: the plain call's own pictures, and each axis bound or refused."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_families
import torch

from diptych.errors import DiptychError
from diptych.generate.backends.asked import PlannedImage
from diptych.generate.backends.diffusers.any_pipeline import FIXED
from diptych.generate.backends.diffusers.known_pipelines import KNOWN_PIPELINES
from diptych.generate.backends.diffusers.loading import load_pipeline
from diptych.generate.backends.diffusers.models import pipeline_class
from diptych.generate.backends.diffusers.noise import generators_of
from diptych.generate.backends.diffusers.render import PipelineRenderer
from diptych.generate.backends.diffusers.samplers import SAMPLERS
from diptych.generate.pictures import Pixels
from diptych.generate.plan import GenerationPlan

MakePlan = Callable[..., GenerationPlan]

# Sizes that a family makes from few pixels, where not 32; options that keep it small.
SIZES = {"cascade": 128, "cogview3": 16, "hidream": 128, "if": 16, "kandinsky22": 64, "kandinsky3": 64}
OPTIONS: dict[str, dict[str, Any]] = {
    "cascade": {"prior_num_inference_steps": 2},
    "flux2_klein": {"text_encoder_out_layers": [1], "max_sequence_length": 128},
    "kandinsky22": {"prior_num_inference_steps": 2},
    "sana": {"complex_human_instruction": None, "max_sequence_length": 32},
    "sana_sprint": {"complex_human_instruction": None, "max_sequence_length": 32},
    "zimage": {"max_sequence_length": 128},
}
QUICK = ("cascade", "flux2_klein", "hunyuandit", "if", "kandinsky3", "qwenimage", "wan")  # where pipelines differ most

# What libraries say of their own insides.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated and will be removed in version:FutureWarning")


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a family, saved once."""
    root = tmp_path_factory.mktemp("families")
    return lambda name: root / name if (root / name).is_dir() else tiny_families.save(name, root)


@pytest.fixture
def family_plan(families: Callable[[str], Path], plan_of: MakePlan) -> Callable[..., GenerationPlan]:
    """Return a function that plans three images of a family."""

    def make(name: str, setting: dict[str, Any], **choice: Any) -> GenerationPlan:
        own = {"path_or_id": str(families(name)), "batch_size": 1, "options": OPTIONS.get(name, {})}
        size = {"size": SIZES.get(name, 32)}
        return plan_of(models={"m": own | choice}, settings=[{"steps": 2} | size | setting])

    return make


def picture(plan: GenerationPlan, number: int = 0, group: int = 0) -> Pixels:
    renderer = PipelineRenderer(plan.models, device="cpu", threads=1)  # type: ignore[arg-type]
    (found,) = renderer.render(plan.groups[group], [plan.image(number)])
    assert found is not None, "values are numbers"
    return found


def plain_call(plan: GenerationPlan, row: PlannedImage, **arguments: Any) -> Any:
    """Return what the pipeline gives that diffusers itself loads, called as its documentation says."""
    folder = plan.models["m"].folder  # type: ignore[attr-defined]
    kind = pipeline_class(folder)
    cannot = "cascade" in str(folder.path)  # this diffusers cannot load it by itself
    pipe = load_pipeline(folder) if cannot else kind.from_pretrained(folder.path)
    pipe.set_progress_bar_config(disable=True)
    options = {
        name: tuple(value) if isinstance(value, list) else value for name, value in folder.choice.options.items()
    }
    taken = inspect.signature(kind.__call__).parameters
    fixed = {name: value for name, value in FIXED.items() if name in taken}
    if fixed.get("num_frames"):
        fixed["output_type"] = "pil"
    given = pipe(prompt=row.asked.text, generator=generators_of([row.seed]), **fixed, **options, **arguments)
    return given.images[0] if hasattr(given, "images") else given.frames[0][0]


FAMILIES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in tiny_families.NAMES]


@pytest.mark.parametrize("name", FAMILIES)
def test_an_image_is_the_plain_calls_own_picture(name: str, family_plan: Callable[..., GenerationPlan]) -> None:
    known = KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]]
    setting = {"guidance": 3} if known.guidance and known.negative != "asks" else {}
    plan = family_plan(name, setting)
    row, side = plan.image(0), SIZES.get(name, 32)
    guidance = {known.guidance: 3.0} if setting else {}
    expected = plain_call(plan, row, num_inference_steps=2, width=side, height=side, **guidance).convert("RGB")
    found = picture(plan)
    assert found.shape == (side, side, 3)
    assert np.abs(np.asarray(expected, np.int32) - found.astype(np.int32)).max() <= 1
    assert found.std() > 1, "not a flat picture"
    renderer = PipelineRenderer(plan.models, device="cpu", threads=1)  # type: ignore[arg-type]
    others = [renderer.render(plan.groups[0], [plan.image(number)])[0] for number in (2, 1, 0)]
    assert np.array_equal(others[2], found), "whatever was made before"  # type: ignore[arg-type]
    assert not np.array_equal(others[0], others[1])  # type: ignore[arg-type]


class Asked:
    """Counts the rows that the denoisers of a pipeline are asked for."""

    def __init__(self, pipe: Any) -> None:
        self.rows = 0
        for name in ("unet", "transformer", "prior_prior", "decoder"):
            if getattr(pipe, name, None) is not None:
                getattr(pipe, name).register_forward_pre_hook(self._add, with_kwargs=True)

    def _add(self, module: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = [*args, *named.values()]
        of_lists = [one for one in given if isinstance(one, list) and one and isinstance(one[0], torch.Tensor)]
        tensors = [one for one in given if isinstance(one, torch.Tensor) and one.dim() > 1]
        self.rows += len(tensors[0]) if tensors else len(of_lists[0])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_plan_counts_how_often_the_denoisers_are_asked(name: str, family_plan: Callable[..., GenerationPlan]) -> None:
    known = KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]]
    takes_negative = known.negative in ("always", "guided", "asks")
    for guidance in (0.0, 3.0) if known.guidance else (None,):
        for negative in (None, "grey") if takes_negative else (None,):
            try:
                plan = family_plan(name, {"guidance": guidance, "negative": negative})
            except DiptychError as error:
                assert "takes part only beside a negative prompt" in str(error)  # noqa: PT017 -- Qwen-Image's way
                continue
            renderer = PipelineRenderer(plan.models, device="cpu", threads=1)  # type: ignore[arg-type]
            renderer._open("m")
            asked = Asked(renderer._pipe)
            renderer.render(plan.groups[0], [plan.image(0)])
            assert plan.groups[0].resolved.nfe_in_all == asked.rows, (guidance, negative)


def families_of(*ways: str) -> list[Any]:
    """Return the families in which a negative prompt takes part in one of some ways."""
    return [
        param
        for param, name in zip(FAMILIES, tiny_families.NAMES, strict=True)
        if KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]].negative in ways
    ]


@pytest.mark.parametrize("name", families_of("never"))
def test_a_family_takes_no_negative_prompt_only_where_its_call_has_none(
    name: str, family_plan: Callable[..., GenerationPlan]
) -> None:
    called = inspect.signature(pipeline_class(family_plan(name, {}).models["m"].folder).__call__)  # type: ignore[attr-defined]
    assert "negative_prompt" not in called.parameters
    with pytest.raises(DiptychError, match="negative"):
        family_plan(name, {"negative": "grey"})


@pytest.mark.parametrize("name", families_of("asks"))
def test_guidance_is_refused_without_the_negative_prompt_that_alone_makes_a_family_ask_twice(
    name: str, family_plan: Callable[..., GenerationPlan]
) -> None:
    guided = {"guidance": 3}
    with pytest.raises(DiptychError, match="takes part only beside a negative prompt"):
        family_plan(name, guided)
    plan = family_plan(name, guided | {"negative": ""})
    guidance = {KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]].guidance: 3.0}
    call = {"num_inference_steps": 2, "width": SIZES.get(name, 32), "height": SIZES.get(name, 32), **guidance}
    none, empty = (plain_call(plan, plan.image(0), **call, **more) for more in ({}, {"negative_prompt": ""}))
    assert not np.array_equal(np.asarray(none), np.asarray(empty)), "so that the two are no one picture"


@pytest.mark.parametrize("name", families_of("always", "guided"))
def test_no_negative_prompt_and_the_empty_one_are_made_once_where_they_are_one_picture(
    name: str, families: Callable[[str], Path], plan_of: MakePlan
) -> None:
    known = KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]]
    choice = {"path_or_id": str(families(name)), "batch_size": 1, "options": OPTIONS.get(name, {})}
    guidance = {"guidance": 3} if known.guidance else {}
    asked = {"steps": 2, "size": SIZES.get(name, 32), "negative": [None, ""], **guidance}
    plan = plan_of(models={"m": choice}, settings=[asked])
    assert len(plan.groups) == 1 + (not known.none_is_empty)
    call = {"num_inference_steps": 2, "width": SIZES.get(name, 32), "height": SIZES.get(name, 32)}
    call |= {known.guidance: 3.0} if guidance else {}
    none, empty = (plain_call(plan, plan.image(0), **call, **more) for more in ({}, {"negative_prompt": ""}))
    assert np.array_equal(np.asarray(none), np.asarray(empty)) == known.none_is_empty


def other(plan: Callable[[dict[str, Any]], GenerationPlan], setting: dict[str, Any]) -> Pixels | str:
    """Return the picture of a setting, or why it is refused."""
    try:
        return picture(plan(setting))
    except DiptychError as error:
        return str(error)


@pytest.mark.parametrize("name", FAMILIES)
def test_guidance_and_negative_prompt_have_an_effect_or_are_refused(
    name: str, family_plan: Callable[..., GenerationPlan]
) -> None:
    def make(setting: dict[str, Any]) -> GenerationPlan:
        return family_plan(name, setting)

    known = KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]]
    low, high = other(make, {"guidance": 2}), other(make, {"guidance": 5})
    if isinstance(high, str):
        assert "guidance" in high
        low, high = other(make, {"guidance": 2, "negative": "grey"}), other(make, {"guidance": 5, "negative": "grey"})
    assert "guidance" in high if isinstance(high, str) else not np.array_equal(low, high)
    guidance = {"guidance": 5} if known.guidance else {}
    bad, good = other(make, {"negative": "grey", **guidance}), other(make, {"negative": "a sunny day", **guidance})
    if isinstance(bad, str):
        assert "negative_prompt" in bad
    else:
        assert not np.array_equal(bad, good)
        assert make({"negative": "grey", **guidance}).groups[0].resolved.takes_negative


@pytest.mark.parametrize("name", FAMILIES)
def test_a_size_is_made_or_refused_before_anything_is(name: str, family_plan: Callable[..., GenerationPlan]) -> None:
    side = SIZES.get(name, 32)
    multiple = KNOWN_PIPELINES[tiny_families.described(name)["pipeline"]].multiple(
        family_plan(name, {}).models["m"].folder  # type: ignore[attr-defined]
    )
    wide = other(lambda setting: family_plan(name, setting), {"size": f"{side + multiple}x{side}"})
    assert "makes pictures of one area" in wide if isinstance(wide, str) else wide.shape[:2] == (side, side + multiple)
    if multiple > 1:
        with pytest.raises(DiptychError, match=f"makes sides that are multiples of {multiple}, not"):
            family_plan(name, {"size": side + multiple // 2})


@pytest.mark.parametrize("name", FAMILIES)
def test_what_the_plan_says_of_a_sampler_holds(name: str, family_plan: Callable[..., GenerationPlan]) -> None:
    steps = 2 if name == "sana_sprint" else 3  # it makes no others
    own = picture(family_plan(name, {"steps": steps}))
    for sampler in SAMPLERS:
        try:
            plan = family_plan(name, {"steps": steps, "sampler": sampler})
        except DiptychError as error:
            assert sampler in str(error)  # noqa: PT017 -- one or the other, for each name
            continue
        found = picture(plan)
        is_own = plan.groups[0].resolved.identity == family_plan(name, {"steps": steps}).groups[0].resolved.identity
        assert is_own == np.array_equal(found, own), f"{sampler} has an effect"


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be known of any pipeline."""
    monkeypatch.setattr("diptych.generate.backends.diffusers.any_pipeline.KNOWN_PIPELINES", {})


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("auraflow", {"guidance": 3, "negative": "grey", "sampler": "heun"}, ""),
        ("sana_sprint", {"guidance": 3}, ""),
        ("qwenimage", {"guidance": 4}, "guidance 4 has no effect in this pipeline; leave it out"),
        ("auraflow", {"guidance": 1, "negative": "grey"}, "the negative prompt has no effect"),
        ("bria", {"size": "36x33"}, "makes 36x32 where 36x33 was asked for"),
    ],
)
def test_axes_of_an_unknown_pipeline_are_tried_before_an_image_counts(
    name: str, setting: dict[str, Any], message: str, family_plan: Callable[..., GenerationPlan]
) -> None:
    found = other(lambda asked: family_plan(name, asked), setting)
    assert isinstance(found, str) == bool(message), found
    assert not isinstance(found, str) or message in found
