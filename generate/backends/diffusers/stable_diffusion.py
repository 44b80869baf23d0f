"""Stable Diffusion 1.x, 2.x, XL and 3: how text becomes tensors, what guidance means, which sizes there are."""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ReadsNegative, ResolvedSetting, Setting, Size
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.options import check_options, refuse_guided
from diptych.generate.backends.diffusers.resolve import (
    Binding,
    Tensors,
    call_defaults,
    check_sides,
    resolve_recipe,
    with_identity,
)


class StableDiffusion:
    """SD 1.x and 2.x: one CLIP, classifier-free guidance above 1; no negative prompt is the empty one."""

    batches = True
    denoiser: ClassVar[str] = "unet"
    clip_tokenizers: ClassVar[tuple[str, ...]] = ("tokenizer",)
    long_tokenizer: ClassVar[str | None] = None  # one whose length is the option max_sequence_length
    names: ClassVar[tuple[str, ...]] = ("prompt_embeds",)

    def resolve(self, folder: ModelFolder, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it."""
        defaults = call_defaults(folder)
        check_options(folder, defaults)
        steps = setting.steps or int(defaults["num_inference_steps"])
        guidance = float(defaults["guidance_scale"] if setting.guidance is None else setting.guidance)
        size = setting.size or self.default_size(folder)
        check_sides(folder, size, self.multiple(folder))
        guides, counts = self.guides(folder, guidance), self.guidance_counts(folder, guidance)
        if not guides:
            refuse_guided(folder, guidance)
        negative = self.reads_negative(folder, guidance)
        if setting.negative is not None and negative == "never":
            raise ConfigError(f"{folder.where}: {self.why_no_negative(folder)}; leave the negative prompt out")
        recipe = resolve_recipe(folder, setting.sampler, steps)
        nfe = recipe.nfe(steps)
        resolved = ResolvedSetting(
            setting=setting,
            sampler=setting.sampler or recipe.class_name,
            steps=steps,
            guidance=guidance,
            size=size,
            guides=guides,
            counts=counts,
            negative=negative,
            nfe=nfe,
            nfe_in_all=nfe * (1 + guides),
            identity="",
            recipe=Binding(recipe),
        )
        return with_identity(folder, resolved)

    def default_size(self, folder: ModelFolder) -> Size:
        """Return the size that the pipeline makes when none is asked for."""
        side = folder.config_of(self.denoiser).get("sample_size") or 64
        height, width = side if isinstance(side, list) else (side, side)
        scale = self.vae_scale(folder)
        return Size(int(width) * scale, int(height) * scale)

    def vae_scale(self, folder: ModelFolder) -> int:
        """Return how many pixels a side of a latent pixel has."""
        return int(2 ** (len(folder.config_of("vae").get("block_out_channels") or [1] * 4) - 1))

    def multiple(self, folder: ModelFolder) -> int:
        """Return what each side must be a multiple of."""
        return 8

    def width(self, folder: ModelFolder) -> int:
        """Return how many numbers the denoiser keeps of an image where they are fewest: its time embedding."""
        channels = folder.config_of("unet").get("block_out_channels") or [320]
        return 4 * int(channels[0])

    def guides(self, folder: ModelFolder, guidance: float) -> bool:
        """Return whether each step asks the denoiser twice."""
        return guidance > 1 and not self._is_distilled(folder)

    def guidance_counts(self, folder: ModelFolder, guidance: float) -> bool:
        """Return whether the value of guidance changes the image."""
        return guidance > 1 or self._is_distilled(folder)

    def reads_negative(self, folder: ModelFolder, guidance: float) -> ReadsNegative:
        """Return whether a negative prompt takes part; low guidance leaves it out, which makes settings equal."""
        if self.guides(folder, guidance):
            return "read"
        return "off" if guidance <= 1 else "never"

    def why_no_negative(self, folder: ModelFolder) -> str:
        """Return why a negative prompt can take no part."""
        return "its denoiser has guidance built in and reads no negative prompt"

    def token_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str) -> Mapping[str, Any]:
        """Return the ids that each text encoder reads, cut and padded to its length."""
        return {
            name: tokenizers[name](text, padding="max_length", max_length=length, truncation=True)["input_ids"]
            for name, length in self.text_lengths(folder, tokenizers).items()
        }

    def text_lengths(self, folder: ModelFolder, tokenizers: Mapping[str, Any]) -> Mapping[str, int]:
        """Return how many ids are read of a text, by tokenizer."""
        lengths = {name: int(tokenizers[name].model_max_length) for name in self.clip_tokenizers if name in tokenizers}
        if self.long_tokenizer in tokenizers:
            lengths[str(self.long_tokenizer)] = self._long_length(folder)
        return lengths

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the ids of a negative prompt; None is the empty one."""
        return self.token_ids(folder, tokenizers, text or "")

    def encode(self, pipe: Any, text: str, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a prompt."""
        arguments = self._encode_arguments(pipe, options)
        return self._positive(pipe.encode_prompt([text], do_classifier_free_guidance=False, **arguments))

    def encode_negative(self, pipe: Any, text: str | None, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a negative prompt."""
        negative = None if text is None else [text]
        arguments = self._encode_arguments(pipe, options) | {"negative_prompt": negative}
        return self._negative(pipe.encode_prompt([""], do_classifier_free_guidance=True, **arguments))

    def arguments(self, texts: list[Tensors], negatives: list[Tensors] | None) -> dict[str, Any]:
        """Return the embeddings of a batch."""
        found = dict(zip(self.names, _stack(texts), strict=True))
        if negatives is not None:
            found |= {f"negative_{name}": tensor for name, tensor in zip(self.names, _stack(negatives), strict=True)}
        return found

    def _encode_arguments(self, pipe: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        known = inspect.signature(pipe.encode_prompt).parameters
        chosen = {key: value for key, value in options.items() if key in known}
        return {"device": pipe.device, "num_images_per_prompt": 1} | chosen

    def _positive(self, encoded: Tensors) -> Tensors:
        return (encoded[0],)

    def _negative(self, encoded: Tensors) -> Tensors:
        return (encoded[1],)

    def _long_length(self, folder: ModelFolder) -> int:
        return int(folder.choice.options.get("max_sequence_length", call_defaults(folder)["max_sequence_length"]))

    def _is_distilled(self, folder: ModelFolder) -> bool:
        return folder.config_of(self.denoiser).get("time_cond_proj_dim") is not None


class StableDiffusionXL(StableDiffusion):
    """SDXL: two CLIPs with a pooled vector; no negative prompt may be zeros and then differs from the empty one."""

    clip_tokenizers = ("tokenizer", "tokenizer_2")
    names = ("prompt_embeds", "pooled_prompt_embeds")

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the ids of a negative prompt, or that it is zeros."""
        if text is None and folder.index.get("force_zeros_for_empty_prompt", True):
            return "zeros"
        return super().negative_ids(folder, tokenizers, text)

    def _positive(self, encoded: Tensors) -> Tensors:
        return (encoded[0], encoded[2])

    def _negative(self, encoded: Tensors) -> Tensors:
        return (encoded[1], encoded[3])


class StableDiffusion3(StableDiffusionXL):
    """SD3: two CLIPs, a T5 that may be absent; no negative prompt is the empty one."""

    denoiser = "transformer"
    long_tokenizer = "tokenizer_3"

    def multiple(self, folder: ModelFolder) -> int:
        """Return what each side must be a multiple of."""
        return self.vae_scale(folder) * int(folder.config_of("transformer").get("patch_size") or 2)

    def width(self, folder: ModelFolder) -> int:
        """Return the width of its layers."""
        return transformer_width(folder)

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the ids of a negative prompt; None is the empty one."""
        return self.token_ids(folder, tokenizers, text or "")

    def _encode_arguments(self, pipe: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        return super()._encode_arguments(pipe, options) | {"prompt_2": None, "prompt_3": None}


def transformer_width(folder: ModelFolder) -> int:
    """Return the width of a transformer's layers."""
    config = folder.config_of("transformer")
    return int(config.get("num_attention_heads") or 24) * int(config.get("attention_head_dim") or 128)


def _stack(rows: list[Tensors]) -> list[Any]:
    import torch

    return [torch.cat(tensors).contiguous() for tensors in zip(*rows, strict=True)]
