"""What fails is an image, or a model with one setting, each with its reason; everything else is made."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import own_backend
import pytest
import yaml
from click.testing import CliRunner, Result
from generated_runs import table_of

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.errors import DataError
from diptych.generate.attempts import GIVEN_UP_AFTER
from diptych.generate.backends import ImageRefused
from diptych.generate.outcome import outcome_of, problem
from diptych.generate.plan import GenerationPlan
from diptych.generate.renderers import Renderers
from diptych.generate.run import generate

Models = Callable[[str], str]
PlanTexts = Callable[..., GenerationPlan]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", "generate", *map(str, arguments)])


@pytest.fixture
def grid(models: Models, prompts: Path, tmp_path: Path) -> Path:
    """A grid of two models of which one is cut, and of four samplers of which the other refuses one."""
    shutil.copytree(models("sd"), tmp_path / "cut")
    weights = tmp_path / "cut" / "unet" / "diffusion_pytorch_model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    values = {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": str(prompts)}],
        "models": {"cut": {"path_or_id": str(tmp_path / "cut")}, "flux": {"path_or_id": models("flux")}},
        "settings": [{"sampler": ["ddim", "euler", "euler_a", "unipc"], "steps": 2, "size": 64}],
        "batch_size": 4,
    }
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_a_damaged_model_and_a_refused_sampler_leave_the_rest_and_after_mending_only_they_are_made(
    grid: Path, models: Models, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    planned = invoke("plan", grid)
    assert planned.exit_code == 1
    assert "refused   cut: " in planned.output
    assert "is cut: it has" in planned.output
    assert "refused   flux, ddim-2-64px: sampler ddim: there is none for flow models" in planned.output
    assert "images    9 in 1 shard" in planned.output
    run = invoke("run", grid, "--out", out)
    assert run.exit_code == 1
    assert "2 models or settings were refused" in run.output
    assert set(table_of(out)["setting"].to_pylist()) == {"euler-2-64px", "euler_a-2-64px", "unipc-2-64px"}
    assert open_dataset(out).manifest["made_by"]["refused"][0]["model"] == "cut"
    before = (out / "data" / "00000.parquet").read_bytes()
    again = invoke("run", grid, "--out", out)
    assert (again.exit_code, "Nothing to do" in again.output) == (1, True)
    whole = Path(models("sd")) / "unet" / "diffusion_pytorch_model.safetensors"
    shutil.copy(whole, tmp_path / "cut" / "unet" / whole.name)
    settings = (
        "settings=[{sampler: [euler, euler_a, unipc], steps: 2, size: 64}, {sampler: ddim, models: [cut], steps: 2}]"
    )
    mended = invoke("run", grid, "--out", out, "--set", settings, "--json")
    assert mended.exit_code == 0, mended.output
    assert json.loads(mended.stdout)["rendered"] == 3 * 4
    assert (out / "data" / "00000.parquet").read_bytes() == before
    assert open_dataset(out).rows == 21


def spoil(folder: Path, part: str, **changes: Any) -> None:
    """Change the config of a part of a model; None takes an entry out."""
    file = folder / part
    values = json.loads(file.read_text()) | changes
    file.write_text(
        json.dumps({key: value for key, value in values.items() if key not in changes or value is not None})
    )


@pytest.mark.parametrize(
    ("part", "changes", "reason"),
    [
        ("model_index.json", {"tokenizer": None}, "names no tokenizer"),
        ("text_encoder/config.json", {"hidden_size": "wide"}, "Field 'hidden_size' expected int, got str"),
        ("vae/config.json", {"block_out_channels": []}, "list index out of range"),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": []}, "DDIMScheduler cannot be built"),
        ("tokenizer/tokenizer_config.json", {"model_max_length": {}}, "says what cannot be"),
    ],
)
def test_a_model_that_cannot_be_read_takes_no_other_one_along(
    part: str,
    changes: dict[str, Any],
    reason: str,
    models: Models,
    plan_of: Callable[..., GenerationPlan],
    tmp_path: Path,
) -> None:
    shutil.copytree(models("sd"), tmp_path / "spoilt")
    spoil(tmp_path / "spoilt", part, **changes)
    both = {"spoilt": {"path_or_id": str(tmp_path / "spoilt")}, "sd": {"path_or_id": models("sd")}}
    plan = plan_of("sd", models=both, settings=[{"steps": 2, "size": 64}])
    generate(plan, tmp_path / "out", progress="none")
    found = {row["model"]: (row["status"], row["error"]) for row in table_of(tmp_path / "out").to_pylist()}
    assert found["sd"] == ("ok", None)
    reasons = [one.reason for one in plan.refused] + [error for status, error in found.values() if status != "ok"]
    assert [reason in one for one in reasons] == [True], reasons


def test_models_of_equal_weights_fail_each_by_itself(
    models: Models, plan_of: Callable[..., GenerationPlan], tmp_path: Path
) -> None:
    shutil.copytree(models("sd"), tmp_path / "spoilt")
    spoil(tmp_path / "spoilt", "tokenizer/tokenizer_config.json", model_max_length=5)
    spoil(tmp_path / "spoilt", "unet/config.json", _diffusers_version=1e9)
    both = {"spoilt": {"path_or_id": str(tmp_path / "spoilt")}, "sd": {"path_or_id": models("sd")}}
    plan = plan_of("sd", models=both, settings=[{"steps": 2, "size": 64}])
    assert len({group.identity for group in plan.groups}) == 1, "they differ in what they read alone"
    generate(plan, tmp_path / "out", progress="none")
    found = {(row["model"], row["status"]) for row in table_of(tmp_path / "out").to_pylist()}
    assert found == {("spoilt", "failed"), ("sd", "ok")}


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return a function that lets grey refuse every prompt with a word, and that returns what it is asked for."""
    render = own_backend.GreyRenderer.render

    def refuse(word: str) -> list[str]:
        asked: list[str] = []

        def refusing(self: Any, group: Any, images: Sequence[Any]) -> Any:
            asked.extend(image.asked.text for image in images)
            if any(word and word in image.asked.text for image in images):
                raise ImageRefused(f"{group.label}: no {word}")
            return render(self, group, images)

        monkeypatch.setattr(own_backend.GreyRenderer, "render", refusing)
        return asked

    return refuse


def test_an_image_that_is_refused_is_a_row_and_is_made_again_with_the_next_run(
    plan_texts: PlanTexts, refusing: Callable[[str], list[str]], tmp_path: Path
) -> None:
    plan = plan_texts({"a": ["a fish", "a storm", "a house"]}, samples=1)
    generate(plan, tmp_path / "whole", progress="none")
    refusing("storm")
    made = generate(plan, tmp_path / "out", progress="none")
    rows = {(row["caption"], row["steps"]): row for row in table_of(tmp_path / "out").to_pylist()}
    assert {place for place, row in rows.items() if row["status"] == "failed"} == {("a storm", 3), ("a storm", 4)}
    assert rows["a storm", 3]["error"] == "grey, default-3: no storm"
    assert rows["a storm", 3]["image"] is None
    outcome = outcome_of(made.dataset)
    assert problem(outcome, ()).startswith("2 of 6 rows have no picture (failed: 2)")
    asked = refusing("")
    assert generate(plan, tmp_path / "out", progress="none").rendered == 2
    assert asked == ["a storm", "a storm"], "only what is missing"
    shard = Path("data") / "00000.parquet"
    assert (tmp_path / "out" / shard).read_bytes() == (tmp_path / "whole" / shard).read_bytes()


def test_a_setting_of_which_nothing_can_be_made_is_given_up(
    plan_texts: PlanTexts, refusing: Callable[[str], list[str]], tmp_path: Path
) -> None:
    asked = refusing("a")
    texts = [f"a {number}" for number in range(15)]
    made = generate(plan_texts({"a": texts}, samples=1, batch_size=1), tmp_path / "out", progress="none")
    assert len(asked) == 2 * GIVEN_UP_AFTER, "of each of two settings"
    assert outcome_of(made.dataset).statuses == {"failed": 30}


def test_a_group_that_cannot_be_made_is_not_tried_again_and_the_next_one_is_made(
    plan_texts: PlanTexts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    render, tried = own_backend.GreyRenderer.render, []

    def failing(self: Any, group: Any, images: Any) -> Any:
        tried.append(group.label)
        if group.resolved.steps == 3:
            raise DataError("grey, default-3: the memory of paper ran out")
        return render(self, group, images)

    monkeypatch.setattr(own_backend.GreyRenderer, "render", failing)
    made = generate(plan_texts({"a": ["x", "y", "z"]}, batch_size=1, samples=1), tmp_path / "out", progress="none")
    assert tried.count("grey, default-3") == 1
    assert outcome_of(made.dataset).statuses == {"failed": 3, "ok": 3}


def test_pictures_of_one_colour_and_values_that_are_no_numbers_are_counted_and_end_with_1(
    grey: dict[str, str], prompts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    pictures = iter([drawn, np.zeros_like(drawn), None])
    monkeypatch.setattr(
        own_backend.GreyRenderer, "render", lambda self, group, images: [next(pictures) for _ in images]
    )
    values = {"job": "generate", "prompts": [{"kind": "txt", "path": str(prompts)}], "models": {"grey": grey}}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(values))
    first = invoke("run", config, "--out", tmp_path / "out")
    assert first.exit_code == 1
    assert "one_coloured grey, default: 1 row, each pixel is (0, 0, 0)" in first.output
    assert "not_finite grey, default: 1 row, the pipeline gave values that are no numbers" in first.output
    said = "1 of 3 rows have no picture (not_finite: 1); 1 picture of one colour"
    assert said in first.output
    again = invoke("run", config, "--out", tmp_path / "out")
    assert (again.exit_code, said in again.output, "Nothing to do" in again.output) == (1, True, True)
    facts = json.loads(invoke("run", config, "--out", tmp_path / "out", "--json").stdout.splitlines()[0])
    assert (facts["statuses"], facts["one_coloured"]) == ({"ok": 2, "not_finite": 1}, 1)


@pytest.mark.parametrize(("texts", "tried"), [(25, 2), (3, 0)])
def test_before_a_long_run_each_setting_is_tried_and_what_fails_there_is_given_up(
    texts: int, tried: int, plan_texts: PlanTexts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    attempts: list[str] = []

    def attempt(self: Any, group: Any, image: Any) -> None:
        attempts.append(group.label)
        if group.resolved.steps == 4:
            raise DataError("grey, default-4: the memory of paper ran out")

    monkeypatch.setattr(own_backend.GreyRenderer, "attempt", attempt)
    plan = plan_texts({"a": [f"a {number}" for number in range(texts)]}, batch_size=1, samples=1)
    outcome = outcome_of(generate(plan, tmp_path / "out", progress="none").dataset)
    assert len(attempts) == tried
    assert outcome.statuses == ({"ok": 25, "failed": 25} if tried else {"ok": 6})


def test_a_trial_finds_what_a_pipeline_does_not_make_of_a_setting(
    models: Models, plan_of: Callable[..., GenerationPlan]
) -> None:
    choice = {"path_or_id": models("sd"), "options": {"clip_skip": "two"}}
    plan = plan_of("sd", models={"sd": choice, "flux": {"path_or_id": models("flux")}})
    renderers = Renderers(plan)
    with pytest.raises(ImageRefused, match="sd, default-4-64px: the pipeline refuses"):
        renderers.attempt(plan.groups[0], plan.image(0))
    renderers.attempt(plan.groups[1], plan.image(plan.images_per_group))
