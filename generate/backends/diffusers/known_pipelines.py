"""What the arguments of pipelines without a family do: read in their code and held by tests on tiny ones.

A pipeline that is not here is driven by its signature alone, and what its arguments do is tried before an image counts.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from diptych.generate.backends.asked import Size
from diptych.generate.backends.diffusers import framing
from diptych.generate.backends.diffusers.models import ModelFolder

# When a negative prompt takes part: in steps that ask the denoiser twice; always; or it is what makes them ask twice.
Negative = Literal["guided", "always", "asks", "never"]
ALWAYS = float("-inf")


@dataclass(frozen=True)
class KnownPipeline:
    """What settings mean to a pipeline.

    Attributes:
        guidance: The argument that guidance is bound to; empty where there is none.
        guided_above: Guidance above which each step asks the denoiser twice; None where no value makes it do so.
        negative: When a negative prompt takes part.
        none_is_empty: Whether no negative prompt is the empty one, so that the two give one picture.
        packed: Latent pixels that a side must be a multiple of.
        checked: Pixels that the pipeline's code wants a side to be a multiple of, whatever its VAE.
        coder: The component whose levels say how many pixels the side of a latent pixel has.
        squared: Whether it counts them twice, once in its own code.
        area: Latent pixels of the side of a square to whose area it scales each size; None where it scales none.
        text_length: Tokens that are read of a text, where the code says it and no argument.
        frame: How many of them are not the prompt's own, see ``framing``; None where all are.
        distilled_by: Entry of ``model_index.json`` that says that guidance is built in, so that no value is read.
    """

    guidance: str = "guidance_scale"
    guided_above: float | None = 1.0
    negative: Negative = "guided"
    none_is_empty: bool = True
    packed: int = 2
    checked: int = 1
    coder: str = "vae"
    squared: bool = False
    area: int | None = None
    text_length: int | None = None
    frame: Callable[[Any, Mapping[str, Any]], int] | None = None
    distilled_by: str = ""

    def is_distilled(self, folder: ModelFolder) -> bool:
        """Return whether a checkpoint has guidance built in."""
        return bool(self.distilled_by and folder.index.get(self.distilled_by))

    def multiple(self, folder: ModelFolder) -> int:
        """Return what each side must be a multiple of, in pixels."""
        scale = latent_scale(folder.config_of(self.coder))
        return math.lcm(self.packed * scale ** (2 if self.squared else 1), self.checked)

    def made_size(self, folder: ModelFolder, size: Size) -> Size:
        """Return the size that it makes where one is asked for."""
        if self.area is None:
            return size
        multiple = self.multiple(folder)
        factor = self.area * latent_scale(folder.config_of(self.coder)) / math.sqrt(size.width * size.height)
        return Size(*(int(side * factor // multiple * multiple) for side in size))


# To add one: a line here (alphabetical), its components in tests/golden/tiny_families, a line in docs/models.md.
KNOWN_PIPELINES: dict[str, KnownPipeline] = {
    "AuraFlowPipeline": KnownPipeline(),
    "BriaPipeline": KnownPipeline(),
    "ChromaPipeline": KnownPipeline(),
    "CogView3PlusPipeline": KnownPipeline(none_is_empty=False, checked=8),
    "CogView4Pipeline": KnownPipeline(checked=16),
    "Flux2KleinPipeline": KnownPipeline(negative="never", distilled_by="is_distilled", frame=framing.chat),
    "HiDreamImagePipeline": KnownPipeline(area=128),
    "HunyuanDiTPipeline": KnownPipeline(checked=16),
    "HunyuanImagePipeline": KnownPipeline(guidance="", negative="always", packed=1, text_length=1000),
    "IFPipeline": KnownPipeline(packed=1, coder="unet", text_length=77),
    "Kandinsky3Pipeline": KnownPipeline(none_is_empty=False, packed=1, checked=64, coder="movq", text_length=128),
    "KandinskyV22CombinedPipeline": KnownPipeline(
        negative="always", none_is_empty=False, packed=1, coder="movq", squared=True
    ),
    "Krea2Pipeline": KnownPipeline(guided_above=0.0, frame=framing.krea),
    "LatentConsistencyModelPipeline": KnownPipeline(guided_above=None, negative="never", packed=1, checked=8),
    "Lumina2Pipeline": KnownPipeline(checked=16, frame=framing.lumina),
    "LuminaPipeline": KnownPipeline(checked=16),
    "OmniGenPipeline": KnownPipeline(guided_above=ALWAYS, negative="never"),
    "OvisImagePipeline": KnownPipeline(),
    "PixArtAlphaPipeline": KnownPipeline(checked=8),
    "PixArtSigmaPipeline": KnownPipeline(checked=8),
    "QwenImagePipeline": KnownPipeline(guidance="true_cfg_scale", negative="asks"),
    "SanaPipeline": KnownPipeline(packed=1, checked=32, frame=framing.sana),
    "SanaSprintPipeline": KnownPipeline(guided_above=None, negative="never", packed=1, checked=32, frame=framing.sana),
    "StableCascadeCombinedPipeline": KnownPipeline(guidance="prior_guidance_scale", packed=1, checked=128),
    "StableDiffusionPAGPipeline": KnownPipeline(packed=1, checked=8),
    "WanPipeline": KnownPipeline(checked=16),
    "ZImagePipeline": KnownPipeline(guided_above=0.0, frame=framing.chat),
}


def latent_scale(config: dict[str, Any]) -> int:
    """Return how many pixels the side of a latent pixel has by the config of what decodes it; 1 where it says nothing.

    >>> latent_scale({"block_out_channels": [128, 256, 512, 512]})
    8
    """
    for name in ("scale_factor_spatial", "spatial_compression_ratio"):
        if config.get(name):
            return int(config[name])
    if config.get("temperal_downsample"):  # so spelled by AutoencoderKLQwenImage and AutoencoderKLWan
        return int(2 ** len(config["temperal_downsample"]))
    blocks = config.get("block_out_channels") or config.get("encoder_block_out_channels")
    return int(2 ** (len(blocks) - 1)) if blocks else 1
