"""What a plan says of prompts and models: what is cut, obeyed, unseen, or taken otherwise than the config says."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_families
import torch

from diptych.generate.backends.diffusers import framing
from diptych.generate.backends.diffusers.known_pipelines import KNOWN_PIPELINES
from diptych.generate.backends.diffusers.loading import load_pipeline
from diptych.generate.estimate import estimate
from diptych.generate.plan import GenerationPlan

MakePlan = Callable[..., GenerationPlan]
Models = Callable[[str], str]

EXTRA: dict[str, dict[str, Any]] = {
    "flux2_klein": {"text_encoder_out_layers": [1]},
    "sana": {"complex_human_instruction": ["Say more:"], "use_resolution_binning": False},
}


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
        "1 prompt with control characters, the first the prompt '2' of txt: 'a cat\\x07 with \\x1b[31mred hat'",
        "sd: '<|endoftext|>' in 1 prompt, which its tokenizer obeys as a token of its own and does not read",
    ]
    prompts.write_text("a cat\n")
    assert estimate(plan_of("sd"), None)["notes"] == []


def test_negative_prompts_are_read_as_closely(plan_of: MakePlan, prompts: Path, tmp_path: Path) -> None:
    long = "word " * 40
    negatives = [f"{long} one", f"{long} two", "bad<|endoftext|>worse", "bad\x07", "", None]
    said = estimate(plan_of("sd", settings=[{"steps": 2, "negative": negatives}]), None)["notes"]
    assert said[:2] == [
        "1 negative prompt with control characters, the first 'bad\\x07'",
        "sd: 2 negative prompts cut, being longer than it reads",
    ]
    assert [note.partition(",")[0] for note in said[2:]] == ["sd: '<|endoftext|>' in 1 negative prompt"]
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"prompt": "a cat", "negative": f"\x1b{long}"}) + "\n")
    own = plan_of("sd", prompts=[{"kind": "jsonl", "path": str(path)}], settings=[{"guidance": [1, 5]}])
    facts = estimate(own, None)
    assert [note.partition(" ")[2] for note in facts["notes"]] == [
        "negative prompt with control characters, the first " + repr(f"\x1b{long}"[:60]),
        "1 negative prompt cut, being longer than it reads",
    ]
    assert facts["without_effect"] == [
        "sd reads no negative prompt with guidance 1: those of 1 prompt have no effect in default-g1"
    ]


@pytest.mark.parametrize("family", ["flux2_klein", "lumina2", "sana", "zimage"])
def test_what_stands_around_a_prompt_takes_of_its_length(
    family: str, plan_of: MakePlan, prompts: Path, tmp_path: Path
) -> None:
    length = {"lumina2": 240}.get(family, 64)  # the words of Lumina 2 to the system are 190 letters
    options = {"max_sequence_length": length} | EXTRA.get(family, {})
    choice = {"path_or_id": str(tiny_families.save(family, tmp_path)), "batch_size": 1, "options": options}
    plan = plan_of(models={"m": choice}, settings=[{"steps": 2, "size": 32}])
    folder = plan.models["m"].folder  # type: ignore[attr-defined]
    whole = [count for count in range(1, length + 2) if not is_cut(plan, "b" * count)]
    assert whole == [*range(1, len(whole) + 1)]
    assert 10 < len(whole) < length
    pipe = load_pipeline(folder)
    assert last_letter_is_read(pipe, len(whole), options)
    assert not last_letter_is_read(pipe, len(whole) + 1, options)


def is_cut(plan: GenerationPlan, text: str) -> bool:
    reader: Any = plan.models["m"].reader()
    reader.text(text)
    return reader.cut > 0


class Reached(Exception):
    """A denoiser was asked."""


def last_letter_is_read(pipe: Any, length: int, options: dict[str, Any]) -> bool:
    """Return whether another last letter of a prompt changes what a pipeline gives its denoiser."""
    seen: list[list[torch.Tensor]] = []

    def look(module: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        given = [*args, *named.values()]
        given += [tensor for one in given if isinstance(one, list) for tensor in one]
        seen.append([one.clone() for one in given if isinstance(one, torch.Tensor)])
        raise Reached

    hook = pipe.transformer.register_forward_pre_hook(look, with_kwargs=True)
    for letter in "xy":
        with torch.inference_mode(), pytest.raises(Reached):
            pipe(
                prompt="b" * (length - 1) + letter,
                num_inference_steps=2,
                width=32,
                height=32,
                generator=torch.Generator().manual_seed(0),
                **options,
            )
    hook.remove()
    return any(not torch.equal(one, other) for one, other in zip(*seen, strict=True))


def test_what_the_code_of_pipelines_says_of_lengths_is_what_is_known_here() -> None:
    krea, lumina, hunyuan = (tiny_families.build(name) for name in ("krea2", "lumina2", "hunyuanimage"))
    assert krea.prompt_template_encode_num_suffix_tokens == framing.KREA_SUFFIX
    assert lumina.system_prompt == framing.LUMINA_SYSTEM
    assert hunyuan.tokenizer_max_length == KNOWN_PIPELINES["HunyuanImagePipeline"].text_length


def test_a_component_without_the_variant_is_said(plan_of: MakePlan, models: Models, tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    for part in ("unet", "vae"):
        weights = tmp_path / "sd" / part / "diffusion_pytorch_model.safetensors"
        weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    plan = plan_of(models={"sd": {"path_or_id": str(tmp_path / "sd"), "variant": "fp16"}})
    assert plan.notes == ("sd: variant fp16: text_encoder has none, and is taken without",)
