"""The shapes of the models of ``bench_gpu``, real ones and tiny ones, saved with random weights as real ones are.

SDXL-shaped is the denoiser and the autoencoder of SDXL in full, FLUX-shaped the width of FLUX.1 with a quarter of its
blocks: what is compared runs the same network, and random weights take as long as trained ones. Text encoders have one
or two layers; a text is encoded once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from tiny_clip import MODEL
from tiny_pipelines import clip_tokenizer, save, t5_tokenizer
from tiny_vlms import save_qwen, save_qwen3_vl

Family = Literal["sdxl", "flux"]


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes:
        device: Where it runs.
        precision: Of CLIP and of the judge.
        dtypes: Of the pipelines by family.
        rows: Pictures that are scored.
        side: Of those, in pixels.
        scored_at_once: Of them in a batch.
        threads: Decode threads.
        size: Of generated pictures, in pixels.
        steps: Of each.
        made_at_once: Of them in a batch.
        batches: Of those that are timed.
        matrix: Side of the matrices whose product gives the rate.
        pictures: That the judge sees.
        questions: About each.
    """

    device: str
    precision: Literal["fp32", "fp16", "bf16"]
    dtypes: dict[Family, str]
    rows: int
    side: int
    scored_at_once: int
    threads: int
    size: int
    steps: int
    made_at_once: int
    batches: int
    matrix: int
    pictures: int
    questions: int

    @property
    def is_tiny(self) -> bool:
        """Whether it is for a CPU, to see that all of it runs."""
        return self.device == "cpu"


REAL = Scale(
    device="cuda",
    precision="fp16",
    dtypes={"sdxl": "float16", "flux": "bfloat16"},
    rows=16_384,
    side=512,
    scored_at_once=256,
    threads=16,
    size=1024,
    steps=10,
    made_at_once=4,
    batches=2,
    matrix=8192,
    pictures=16,
    questions=16,
)
TINY = Scale(
    device="cpu",
    precision="fp32",
    dtypes={"sdxl": "float32", "flux": "float32"},
    rows=24,
    side=64,
    scored_at_once=8,
    threads=2,
    size=64,
    steps=2,
    made_at_once=2,
    batches=1,
    matrix=64,
    pictures=2,
    questions=2,
)


def clip_shape(scale: Scale) -> dict[str, Any]:
    """Return the configuration of a ViT-L/14, or of a tiny CLIP."""
    import open_clip

    return MODEL if scale.is_tiny else dict(open_clip.get_model_config("ViT-L-14-quickgelu"))


def save_vlm(folder: Path, scale: Scale) -> Path:
    """Save a vision-language model of the widths of Qwen3-VL-2B with half of its blocks, or a tiny one."""
    if scale.is_tiny:
        return save_qwen3_vl(folder)
    vision = {"depth": 12, "hidden_size": 1024, "out_hidden_size": 2048, "intermediate_size": 4096, "num_heads": 16}
    more = {"patch_size": 16, "deepstack_visual_indexes": [2, 5, 8], "num_position_embeddings": 2304}
    text = {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 14, "num_attention_heads": 16}
    heads = {"num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings": 8192, "initializer_range": 0.02}
    return save_qwen(folder, 0, "Qwen3VL", {**vision, **more}, rope={"mrope_section": [24, 20, 20]}, **text, **heads)


def save_pipeline(family: Family, folder: Path, scale: Scale) -> Path:
    """Save a pipeline of random weights and return its folder."""
    if scale.is_tiny:
        return save(family, folder)
    before = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, scale.dtypes[family]))
    try:
        with torch.device(scale.device):
            pipeline = _sdxl() if family == "sdxl" else _flux()
    finally:
        torch.set_default_dtype(before)
    pipeline.save_pretrained(folder / family)
    return folder / family


def _clip_text(tokenizer: Any, kind: Any, width: int) -> Any:
    from transformers import CLIPTextConfig

    shape = {"hidden_size": width, "projection_dim": width, "intermediate_size": 4 * width}
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    layers = {"num_hidden_layers": 2, "num_attention_heads": width // 64, "max_position_embeddings": 77}
    return kind(CLIPTextConfig(vocab_size=len(tokenizer), **shape, **layers, **ids)).eval()


def _autoencoder(**options: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        sample_size=1024,
        **options,
    ).eval()


def _sdxl() -> Any:
    """Return SDXL 1.0 base with short text encoders; shapes from its ``unet/config.json`` and ``vae/config.json``."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    first, second = clip_tokenizer(), clip_tokenizer(pad="!")
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=2,
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        use_linear_projection=True,
        cross_attention_dim=2048,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    ).eval()
    return StableDiffusionXLPipeline(
        unet=unet,
        vae=_autoencoder(latent_channels=4, scaling_factor=0.13025),
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        tokenizer=first,
        text_encoder=_clip_text(first, CLIPTextModel, 768),
        tokenizer_2=second,
        text_encoder_2=_clip_text(second, CLIPTextModelWithProjection, 1280),
        add_watermarker=False,
    )


def _flux() -> Any:
    """Return FLUX.1-dev with 5 of 19 double blocks and 10 of 38 single ones; widths are those of its config."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTextModel, T5Config, T5EncoderModel

    first, second = clip_tokenizer(), t5_tokenizer()
    transformer = FluxTransformer2DModel(num_layers=5, num_single_layers=10, guidance_embeds=True).eval()
    words = T5Config(vocab_size=len(second), d_model=4096, d_kv=64, d_ff=10240, num_layers=1, num_heads=64)
    latents = {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False}
    return FluxPipeline(
        transformer=transformer,
        vae=_autoencoder(scaling_factor=0.3611, shift_factor=0.1159, **latents),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        tokenizer=first,
        text_encoder=_clip_text(first, CLIPTextModel, 768),
        tokenizer_2=second,
        text_encoder_2=T5EncoderModel(words).eval(),
    )
