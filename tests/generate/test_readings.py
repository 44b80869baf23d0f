"""What a plan says of prompts and models: what is cut, obeyed, unseen, or taken otherwise than the config says."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_families

from diptych.generate.estimate import estimate
from diptych.generate.plan import GenerationPlan

MakePlan = Callable[..., GenerationPlan]
Models = Callable[[str], str]


@pytest.mark.parametrize(
    ("family", "options", "length"),
    [
        ("pixart_sigma", {"max_sequence_length": 16}, 16),
        ("auraflow", {}, 256),
        ("if", {}, 77),
        ("kandinsky3", {}, 128),
        ("kandinsky22", {}, 77),
        ("qwenimage", {"max_sequence_length": 64}, 64),
    ],
)
def test_prompts_that_are_cut_are_counted_in_every_pipeline(
    family: str, options: dict[str, Any], length: int, plan_of: MakePlan, prompts: Path, tmp_path: Path
) -> None:
    folder = tiny_families.save(family, tmp_path)
    prompts.write_text(f"{'x' * (length + 1)}\n{'y' * (length // 3)}\n")  # a letter is a token
    choice = {"path_or_id": str(folder), "batch_size": 1, "options": options}
    assert plan_of(models={"m": choice}, settings=[{}]).cut == {"m": 1}


def test_tokens_that_are_obeyed_and_letters_that_no_one_sees_are_said(plan_of: MakePlan, prompts: Path) -> None:
    prompts.write_bytes(b"a cat<|endoftext|>a dog\na cat\x07 with \x1b[31mred hat\na house\n")
    notes = estimate(plan_of("sd"), None)["notes"]
    assert notes == [
        "1 prompts hold control characters, the first the prompt '2' of txt: 'a cat\\x07 with \\x1b[31mred hat'",
        "sd: 1 prompts hold '<|endoftext|>', which its tokenizer obeys as a token of its own and does not read",
    ]
    prompts.write_text("a cat\n")
    assert estimate(plan_of("sd"), None)["notes"] == []


def test_a_component_without_the_variant_is_said(plan_of: MakePlan, models: Models, tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    for part in ("unet", "vae"):
        weights = tmp_path / "sd" / part / "diffusion_pytorch_model.safetensors"
        weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    plan = plan_of(models={"sd": {"path_or_id": str(tmp_path / "sd"), "variant": "fp16"}})
    assert plan.notes == ("sd: variant fp16: text_encoder has none, and is taken without",)
