"""FLUX.1: guidance is an input of the denoiser, and a negative prompt takes part through an option alone."""

from collections.abc import Mapping
from typing import Any

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ReadsNegative, ResolvedSetting, Setting, Size
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.resolve import Tensors
from diptych.generate.backends.diffusers.stable_diffusion import StableDiffusion, transformer_width


class Flux(StableDiffusion):
    """FLUX.1: a CLIP's pooled vector and a T5; guidance is an input of the denoiser, or nothing (schnell).

    A negative prompt takes part through ``true_cfg_scale`` above 1 alone, an option of the model.
    """

    denoiser = "transformer"
    long_tokenizer = "tokenizer_2"
    names = ("prompt_embeds", "pooled_prompt_embeds")

    def default_size(self, folder: ModelFolder) -> Size:
        """Return the size that the pipeline makes when none is asked for (128 latent pixels, whatever the config)."""
        side = 128 * self.vae_scale(folder)
        return Size(side, side)

    def multiple(self, folder: ModelFolder) -> int:
        """Return what each side must be a multiple of: latents are packed two by two."""
        return 2 * self.vae_scale(folder)

    def width(self, folder: ModelFolder) -> int:
        """Return the width of its layers."""
        return transformer_width(folder)

    def guides(self, folder: ModelFolder, guidance: float) -> bool:
        """Return whether each step asks the denoiser twice."""
        return float(folder.choice.options.get("true_cfg_scale", 1.0)) > 1

    def guidance_counts(self, folder: ModelFolder, guidance: float) -> bool:
        """Return whether the value of guidance changes the image."""
        return bool(folder.config_of("transformer").get("guidance_embeds"))

    def reads_negative(self, folder: ModelFolder, guidance: float) -> ReadsNegative:
        """Return whether a negative prompt takes part; one that takes none is a mistake of the config."""
        return "read" if self.guides(folder, guidance) else "never"

    def why_no_negative(self, folder: ModelFolder) -> str:
        """Return why a negative prompt can take no part."""
        return f"{folder.pipeline} reads a negative prompt only with options.true_cfg_scale above 1"

    def resolve(self, folder: ModelFolder, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it."""
        resolved = super().resolve(folder, setting)
        if resolved.guides and setting.negative is None:
            raise ConfigError(
                f'{folder.where}: options.true_cfg_scale needs a negative prompt in each setting; write negative: ""'
            )
        return resolved

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the ids of a negative prompt; without one there is no second pass."""
        return None if text is None else self.token_ids(folder, tokenizers, text)

    def encode(self, pipe: Any, text: str, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a prompt."""
        embeds, pooled, _ = pipe.encode_prompt([text], **self._encode_arguments(pipe, options))
        return (embeds, pooled)

    def encode_negative(self, pipe: Any, text: str | None, options: Mapping[str, Any]) -> Tensors:
        """Return the tensors of a negative prompt."""
        return self.encode(pipe, text or "", options)
