"""Any other text-to-image pipeline of diffusers, driven by its signature alone."""

from collections.abc import Mapping
from typing import Any

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ResolvedSetting, Setting
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.resolve import (
    Tensors,
    call_defaults,
    check_options,
    resolve_recipe,
    with_identity,
)


class AnyPipeline:
    """A pipeline that nothing is known about but its signature: texts are passed as they are, one image at a time."""

    batches = False

    def resolve(self, folder: ModelFolder, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it."""
        defaults = call_defaults(folder)
        check_options(folder, defaults)
        asked = {
            "num_inference_steps": setting.steps,
            "guidance_scale": setting.guidance,
            "height": setting.size,
            "negative_prompt": setting.negative,
        }
        for name, value in asked.items():
            if value is not None and name not in defaults:
                raise ConfigError(f"{folder.where}: {folder.pipeline} takes no {name}; leave it out of its settings")
        for name in ("prompt", "generator", "output_type", "num_inference_steps"):
            if name not in defaults:
                raise ConfigError(
                    f"{folder.where}: {folder.pipeline} takes no {name}, so it cannot be driven from here"
                )
        steps = setting.steps or int(defaults["num_inference_steps"])
        guidance = defaults.get("guidance_scale") if setting.guidance is None else setting.guidance
        recipe = resolve_recipe(folder, setting.sampler, steps)
        if recipe.timesteps is not None and "timesteps" not in defaults:
            raise ConfigError(f"{folder.where}: {folder.pipeline} takes no timesteps, which {setting.sampler} needs")
        guidance = None if guidance is None else float(guidance)
        return with_identity(
            folder,
            ResolvedSetting(
                setting=setting,
                sampler=setting.sampler or recipe.class_name,
                steps=steps,
                guidance=guidance,
                size=setting.size,
                guides=False,
                counts=True,
                negative="read" if "negative_prompt" in defaults else "never",
                nfe=recipe.nfe(steps),
                identity="",
                recipe=recipe,
            ),
        )

    def width(self, folder: ModelFolder) -> int:
        """Return 0: nobody knows, and images are made one at a time."""
        return 0

    def token_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str) -> Mapping[str, Any]:
        """Return the text itself and the files of the tokenizers."""
        return {"text": text, "tokenizers": folder.tokenizer_identity()}

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the text itself."""
        return text

    def encode(self, pipe: Any, text: str, options: Mapping[str, Any]) -> Tensors:
        """Return the text itself."""
        return (text,)

    def encode_negative(self, pipe: Any, text: str | None, options: Mapping[str, Any]) -> Tensors:
        """Return the text itself."""
        return (text,)

    def arguments(self, texts: list[Tensors], negatives: list[Tensors] | None) -> dict[str, Any]:
        """Return the texts of a batch."""
        found = {"prompt": [text for (text,) in texts]}
        if negatives is not None and negatives[0][0] is not None:
            found["negative_prompt"] = [text for (text,) in negatives]
        return found
