"""Any other text-to-image pipeline of diffusers: driven by its signature, and by what is known of its arguments."""

from collections.abc import Mapping
from typing import Any

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ReadsNegative, ResolvedSetting, Setting
from diptych.generate.backends.diffusers.evaluations import nfe_in_all
from diptych.generate.backends.diffusers.known_pipelines import KNOWN_PIPELINES, KnownPipeline
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.options import CLEANING, can_clean, check_options, refuse_guided
from diptych.generate.backends.diffusers.resolve import (
    Binding,
    Tensors,
    call_defaults,
    check_sides,
    resolve_recipe,
    with_identity,
)

# Arguments that a pipeline must take to be driven at all.
DRIVEN = ("prompt", "generator", "output_type", "num_inference_steps")
UNLIMITED = 1_000_000  # tokenizers that say no length say a larger one
# What is passed unless an option says otherwise: each size as it was asked for, and of a film one frame, by whichever
# name a pipeline calls their number.
FRAMES = ("num_frames", "video_length", "frames")
FIXED: dict[str, Any] = {"use_resolution_binning": False, **dict.fromkeys(FRAMES, 1)}


class AnyPipeline:
    """A pipeline that takes texts as they are and makes one image at a time."""

    batches = False

    def resolve(self, folder: ModelFolder, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it."""
        defaults = call_defaults(folder)
        known = KNOWN_PIPELINES.get(folder.pipeline)
        argument = "guidance_scale" if known is None else known.guidance
        check_options(folder, defaults, guidance=argument)
        _refuse_undriven(folder, defaults)
        _refuse_unknown(folder, setting, defaults, argument)
        guidance = _guidance(folder, setting, defaults, argument)
        guides = known is not None and _guides(folder, setting, known, guidance)
        if known is not None:
            _check_size(folder, setting, known)
            _check_guidance(folder, setting, known, guides=guides)
        steps = setting.steps or int(defaults["num_inference_steps"])
        recipe = resolve_recipe(folder, setting.sampler, steps)
        nfe = recipe.nfe(steps)
        embedded = known is not None and known.guided_above is None
        return with_identity(
            folder,
            ResolvedSetting(
                setting=setting,
                sampler=setting.sampler or recipe.class_name,
                steps=steps,
                guidance=guidance,
                size=setting.size,
                guides=guides,
                counts=known is None or guides or embedded,
                negative=_reads_negative(known, guides, defaults),
                nfe=nfe,
                nfe_in_all=nfe_in_all(
                    nfe,
                    {**defaults, **folder.choice.options},
                    guidance=argument,
                    guides=guides,
                    has_negative=setting.negative is not None,
                ),
                identity="",
                recipe=Binding(recipe, argument, _fixed(folder, defaults), is_known=known is not None),
            ),
        )

    def width(self, folder: ModelFolder) -> int:
        """Return 0: nobody knows, and images are made one at a time."""
        return 0

    def token_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str) -> Mapping[str, Any]:
        """Return the text itself and the files of the tokenizers."""
        return {"text": text, "tokenizers": folder.tokenizer_identity()}

    def text_lengths(self, folder: ModelFolder, tokenizers: Mapping[str, Any]) -> Mapping[str, int]:
        """Return how many ids are read of a text, by tokenizer: as far as code, call or tokenizer say it."""
        known = KNOWN_PIPELINES.get(folder.pipeline)
        given = {**call_defaults(folder), **folder.choice.options}
        found = {}
        for name, tokenizer in tokenizers.items():
            own = int(tokenizer.model_max_length)
            asked = known.text_length if known is not None and known.text_length else given.get("max_sequence_length")
            if not isinstance(asked, int) or type(tokenizer).__name__.startswith("CLIP"):
                asked = own
            elif known is not None and known.frame is not None:
                asked -= known.frame(tokenizer, given)
            if asked < UNLIMITED and not type(tokenizer).__name__.startswith("ByT5"):  # it reads words in quotes alone
                found[name] = asked
        return found

    def negative_ids(self, folder: ModelFolder, tokenizers: Mapping[str, Any], text: str | None) -> Any:
        """Return the text itself; None is the empty one where a pipeline takes it so."""
        known = KNOWN_PIPELINES.get(folder.pipeline)
        return (text or "") if known is not None and known.none_is_empty else text

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


def _fixed(folder: ModelFolder, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is always passed: also that captions are not cleaned where nobody can, so that the key knows it."""
    fixed = FIXED if can_clean() else FIXED | {CLEANING: False}
    return {name: value for name, value in fixed.items() if name in defaults and name not in folder.choice.options}


def _refuse_undriven(folder: ModelFolder, defaults: Mapping[str, Any]) -> None:
    """Refuse a pipeline that lacks an argument without which no image can be asked for."""
    for name in DRIVEN:
        if name not in defaults:
            raise ConfigError(f"{folder.where}: {folder.pipeline} takes no {name}, so it cannot be driven from here")


def _refuse_unknown(folder: ModelFolder, setting: Setting, defaults: Mapping[str, Any], guidance: str) -> None:
    """Refuse an axis for which the pipeline has no argument."""
    asked = {guidance or "guidance": setting.guidance, "height": setting.size, "negative_prompt": setting.negative}
    for name, value in asked.items():
        if value is not None and name not in defaults:
            raise ConfigError(f"{folder.where}: {folder.pipeline} takes no {name}; leave it out of its settings")


def _guidance(folder: ModelFolder, setting: Setting, defaults: Mapping[str, Any], argument: str) -> float | None:
    """Return the guidance that is passed: the setting's, an option's, or the pipeline's own; None where it has none."""
    options = folder.choice.options
    if setting.guidance is not None and argument in options:
        raise ConfigError(f"{folder.where}.options: {argument} is what guidance sets; leave one of the two out")
    value = options.get(argument, defaults.get(argument)) if setting.guidance is None else setting.guidance
    return None if value is None or argument not in defaults else float(value)


def _check_size(folder: ModelFolder, setting: Setting, known: KnownPipeline) -> None:
    size = setting.size
    if size is None:
        return
    check_sides(folder, size, known.multiple(folder))
    made = known.made_size(folder, size)
    if made != size:
        raise ConfigError(
            f"{folder.where}: {folder.pipeline} makes pictures of one area, {made.width}x{made.height} where "
            f"{size.width}x{size.height} is asked for; write the former"
        )


def _check_guidance(folder: ModelFolder, setting: Setting, known: KnownPipeline, *, guides: bool) -> None:
    """Refuse guidance of a setting, or of the option that it is bound to, that nothing makes take part."""
    if not guides:
        refuse_guided(folder, setting.guidance)
    guidance = folder.choice.options.get(known.guidance) if setting.guidance is None else setting.guidance
    if guidance is None or known.guided_above is None or guidance <= known.guided_above:
        return
    if known.is_distilled(folder):
        raise ConfigError(f"{folder.where}: its checkpoint has guidance built in and reads none; leave it out")
    if known.negative == "asks" and setting.negative is None:
        raise ConfigError(
            f"{folder.where}: guidance {guidance:g} takes part only beside a negative prompt "
            f'({known.guidance} of {folder.pipeline}); write negative: ""'
        )


def _guides(folder: ModelFolder, setting: Setting, known: KnownPipeline, guidance: float | None) -> bool:
    """Return whether each step asks the denoiser twice."""
    if not known.guidance:
        return True  # by a component, its guider
    if known.guided_above is None or guidance is None or guidance <= known.guided_above or known.is_distilled(folder):
        return False
    return known.negative != "asks" or setting.negative is not None


def _reads_negative(known: KnownPipeline | None, guides: bool, defaults: Mapping[str, Any]) -> ReadsNegative:
    if "negative_prompt" not in defaults or (known is not None and known.negative == "never"):
        return "never"
    return "read" if known is None or known.negative == "always" or guides else "off"
