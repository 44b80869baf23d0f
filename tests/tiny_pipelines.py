"""Tiny pipelines with random weights, shaped like the released ones, made offline in seconds and saved as folders.

Every text encoder and denoiser is a hundredth of the real one in each direction; loaders, tokenizers, schedulers and
pipeline classes are the libraries' own.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
WIDTH = 32  # of every text encoder
SIZE_PX = 64  # an 8 x 8 latent

# What the name in the tests stands for.
FAMILIES = ("sd", "sdxl", "sd3", "flux")


def _seeded(build: Callable[[], Any], seed: int = 0) -> Any:
    """Build a module with weights from a seed, leaving the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()


def clip_tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """Return the smallest CLIP tokenizer that encodes any text: bytes, no merges; the end token is the largest id."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)


def t5_tokenizer() -> T5Tokenizer:
    """Return a tokenizer of single characters with the special tokens of every T5."""
    specials = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\N{LOWER ONE EIGHTH BLOCK}", -2.0)]
    letters = [(chr(code), -3.0) for code in range(33, 127)]
    return T5Tokenizer(vocab=specials + letters, extra_ids=0, model_max_length=512)


def clip_text(tokenizer: CLIPTokenizer, kind: Any = CLIPTextModel, seed: int = 0) -> Any:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=77,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _seeded(lambda: kind(config), seed)


def t5_text(tokenizer: T5Tokenizer, width: int) -> Any:
    config = T5Config(
        vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=2 * width, num_layers=2, num_heads=4, pad_token_id=0
    )
    return _seeded(lambda: T5EncoderModel(config))


def vae(*, flow: bool = False) -> AutoencoderKL:
    """Return an autoencoder of eightfold reduction and four channels."""
    options: dict[str, Any] = {"scaling_factor": 0.18215}
    if flow:
        options = {"use_quant_conv": False, "use_post_quant_conv": False}
        options |= {"scaling_factor": 1.5305, "shift_factor": 0.0609}
    return _seeded(  # type: ignore[no-any-return]
        lambda: AutoencoderKL(
            block_out_channels=(4, 4, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=2,
            sample_size=SIZE_PX,
            latent_channels=4,
            **options,
        )
    )


def sd_parts(seed: int = 0, **denoiser: Any) -> dict[str, Any]:
    tokenizer = clip_tokenizer()
    unet = _seeded(
        lambda: UNet2DConditionModel(
            sample_size=SIZE_PX // 8,
            block_out_channels=(8, 16),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            norm_num_groups=2,
            attention_head_dim=4,
            cross_attention_dim=WIDTH,
            **denoiser,
        ),
        seed,
    )
    return {"unet": unet, "vae": vae(), "tokenizer": tokenizer, "text_encoder": clip_text(tokenizer)}


def sd(*, seed: int = 0, **noise: Any) -> StableDiffusionPipeline:
    """Return a pipeline shaped like Stable Diffusion 1.5; ``noise`` changes its scheduler's options."""
    scheduler = DDIMScheduler(**(NOISE | noise), clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return StableDiffusionPipeline(
        **sd_parts(seed),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl() -> StableDiffusionXLPipeline:
    first, second = clip_tokenizer(), clip_tokenizer(pad="!")
    unet = _seeded(
        lambda: UNet2DConditionModel(
            sample_size=SIZE_PX // 8,
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            transformer_layers_per_block=(1, 2),
            norm_num_groups=2,
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + WIDTH,
        )
    )
    return StableDiffusionXLPipeline(
        unet=unet,
        vae=vae(),
        scheduler=EulerDiscreteScheduler(**NOISE, steps_offset=1, timestep_spacing="leading"),
        tokenizer=first,
        text_encoder=clip_text(first),
        tokenizer_2=second,
        text_encoder_2=clip_text(second, CLIPTextModelWithProjection, 1),
        add_watermarker=False,
    )


def sd3() -> StableDiffusion3Pipeline:
    first, second, third = clip_tokenizer(), clip_tokenizer(pad="!"), t5_tokenizer()
    transformer = _seeded(
        lambda: SD3Transformer2DModel(
            sample_size=SIZE_PX // 8,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=2,
            num_attention_heads=4,
            attention_head_dim=8,
            caption_projection_dim=32,
            joint_attention_dim=2 * WIDTH,
            pooled_projection_dim=2 * WIDTH,
            pos_embed_max_size=16,
        )
    )
    return StableDiffusion3Pipeline(
        transformer=transformer,
        vae=vae(flow=True),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        tokenizer=first,
        text_encoder=clip_text(first, CLIPTextModelWithProjection),
        tokenizer_2=second,
        text_encoder_2=clip_text(second, CLIPTextModelWithProjection, 1),
        tokenizer_3=third,
        text_encoder_3=t5_text(third, 2 * WIDTH),
    )


def flux(*, distilled: bool = True) -> FluxPipeline:
    """Return a pipeline shaped like FLUX.1-dev, or like FLUX.1-schnell if it takes no guidance."""
    first, second = clip_tokenizer(), t5_tokenizer()
    transformer = _seeded(
        lambda: FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            num_attention_heads=3,
            attention_head_dim=16,
            axes_dims_rope=(4, 6, 6),
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            guidance_embeds=distilled,
        )
    )
    return FluxPipeline(
        transformer=transformer,
        vae=vae(flow=True),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=distilled),
        tokenizer=first,
        text_encoder=clip_text(first),
        tokenizer_2=second,
        text_encoder_2=t5_text(second, WIDTH),
    )


def schnell() -> FluxPipeline:
    return flux(distilled=False)


def lcm() -> LatentConsistencyModelPipeline:
    """Return a pipeline of a class that no adapter was written for; it takes no negative prompt."""
    return LatentConsistencyModelPipeline(
        **sd_parts(time_cond_proj_dim=8),
        scheduler=LCMScheduler(**NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


BUILDERS: dict[str, Callable[[], Any]] = {
    "flux": flux,
    "lcm": lcm,
    "schnell": schnell,
    "sd": sd,
    "sd3": sd3,
    "sdxl": sdxl,
}


@functools.cache
def _build(name: str) -> Any:
    pipeline = BUILDERS[name]()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save(name: str, folder: Path) -> Path:
    """Save one of ``BUILDERS`` as a folder, as ``from_pretrained`` reads it, and return the folder."""
    _build(name).save_pretrained(folder / name)
    return folder / name
