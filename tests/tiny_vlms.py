"""Tiny vision-language models of random weights, saved as transformers saves real ones."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

SPECIAL = {
    "image": "<|image_pad|>",
    "video": "<|video_pad|>",
    "start": "<|vision_start|>",
    "end": "<|vision_end|>",
}
TURNS = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{% for part in message.content %}"
    "{% if part.type == 'image' %}PICTURE{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)
TEXTS = ("Is there a red cat? Yes, yes. No, no: two black dogs.", "what is it? one, two, three 1 2 3") * 20


def chat_template(picture: str) -> str:
    return TURNS.replace("PICTURE", picture)


def tiny_tokenizer() -> Any:
    """Return a byte-level tokenizer that tells apart case and the space before a word, as real ones do."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", *SPECIAL.values()],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side="left",
        extra_special_tokens={
            "image_token": SPECIAL["image"],
            "video_token": SPECIAL["video"],
            "vision_start_token": SPECIAL["start"],
            "vision_end_token": SPECIAL["end"],
            "context_image_token": SPECIAL["image"],
            "start_image_token": SPECIAL["start"],
            "end_image_token": SPECIAL["end"],
        },
    )


def text_facts(tokenizer: Any, **more: Any) -> dict[str, Any]:
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": 0.3,
        **ids,
        **more,
    }


def special_ids(tokenizer: Any) -> dict[str, int]:
    names = {"image_token_id": "image", "video_token_id": "video"}
    names |= {"vision_start_token_id": "start", "vision_end_token_id": "end"}
    return {name: tokenizer.convert_tokens_to_ids(SPECIAL[word]) for name, word in names.items()}


def qwen_pictures(patch: int) -> tuple[Any, Any]:
    size = {"shortest_edge": (4 * patch) ** 2, "longest_edge": (8 * patch) ** 2}
    pictures = transformers.Qwen2VLImageProcessorPil(patch_size=patch, size=size)
    return pictures, size


def save_qwen(folder: Path, seed: int, name: str, vision: Mapping[str, Any], **text: Any) -> Path:
    tokenizer = tiny_tokenizer()
    patch = vision["patch_size"]
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 1e4, **text.pop("rope", {})}
    common = {"depth": 1, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 32, "num_heads": 4}
    config = getattr(transformers, f"{name}Config")(
        text_config=text_facts(tokenizer, rope_parameters=rope, **text),
        vision_config={**common, "spatial_merge_size": 2, "temporal_patch_size": 2, **vision},
        **special_ids(tokenizer),
    )
    torch.manual_seed(seed)
    getattr(transformers, f"{name}ForConditionalGeneration")(config).eval().save_pretrained(folder)
    pictures, size = qwen_pictures(patch)
    family = "Qwen3VL" if "3" in name else name
    videos = "Qwen3VLVideoProcessor" if "3" in name else "Qwen2VLVideoProcessor"
    getattr(transformers, f"{family}Processor")(
        pictures,
        tokenizer,
        getattr(transformers, videos)(patch_size=patch, size=size),
        chat_template=chat_template("".join(SPECIAL[word] for word in ("start", "image", "end"))),
    ).save_pretrained(folder)
    return folder


def save_qwen2_5_vl(folder: Path, seed: int = 0) -> Path:
    return save_qwen(folder, seed, "Qwen2_5_VL", {"patch_size": 14, "fullatt_block_indexes": [0], "window_size": 56})


def save_qwen3_vl(folder: Path, seed: int = 0) -> Path:
    vision = {"patch_size": 16, "deepstack_visual_indexes": [0], "num_position_embeddings": 64}
    return save_qwen(folder, seed, "Qwen3VL", vision)


def save_qwen3_5(folder: Path, seed: int = 0) -> Path:
    linear = {f"linear_num_{part}_heads": 2 for part in ("key", "value")}
    linear |= {f"linear_{part}_head_dim": 8 for part in ("key", "value")}
    vision = {"patch_size": 16, "num_position_embeddings": 64}
    more = {"num_hidden_layers": 4, "head_dim": 16, "rope": {"partial_rotary_factor": 0.5}}
    return save_qwen(folder, seed, "Qwen3_5", vision, **linear, **more)


def save_llava(folder: Path, seed: int = 0) -> Path:
    tokenizer = tiny_tokenizer()
    config = transformers.LlavaConfig(
        text_config=transformers.LlamaConfig(**text_facts(tokenizer)),
        vision_config=transformers.CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=28,
            patch_size=14,
            initializer_range=0.3,
        ),
        image_token_index=special_ids(tokenizer)["image_token_id"],
        vision_feature_layer=-1,
    )
    torch.manual_seed(seed)
    transformers.LlavaForConditionalGeneration(config).eval().save_pretrained(folder)
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    transformers.LlavaProcessor(
        pictures,
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat_template(SPECIAL["image"]),
    ).save_pretrained(folder)
    return folder


def save_internvl(folder: Path, seed: int = 0) -> Path:
    tokenizer = tiny_tokenizer()
    config = transformers.InternVLConfig(
        text_config=transformers.Qwen2Config(**text_facts(tokenizer)),
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "intermediate_size": 32,
            "image_size": [28, 28],
            "patch_size": [7, 7],
        },
        image_token_id=special_ids(tokenizer)["image_token_id"],
        downsample_ratio=0.5,
    )
    torch.manual_seed(seed)
    transformers.InternVLForConditionalGeneration(config).eval().save_pretrained(folder)
    transformers.InternVLProcessor(
        transformers.GotOcr2ImageProcessorPil(size={"height": 28, "width": 28}, crop_to_patches=True, max_patches=3),
        tokenizer,
        transformers.InternVLVideoProcessor(size={"height": 28, "width": 28}),
        image_seq_length=4,
        chat_template=chat_template(SPECIAL["image"] + "\n"),
    ).save_pretrained(folder)
    return folder


def save_paligemma(folder: Path, seed: int = 0) -> Path:
    """Save one that has no chat template, as PaliGemma has none."""
    tokenizer = tiny_tokenizer()
    vision = transformers.SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        image_size=28,
        patch_size=14,
        projection_dim=32,
    )
    pictures = transformers.SiglipImageProcessorPil(size={"height": 28, "width": 28})
    pictures.image_seq_length = 4
    processor = transformers.PaliGemmaProcessor(pictures, tokenizer)  # which adds its tokens for places
    config = transformers.PaliGemmaConfig(
        text_config=transformers.GemmaConfig(**text_facts(processor.tokenizer)),
        vision_config=vision,
        projection_dim=32,
        image_token_index=processor.image_token_id,
    )
    torch.manual_seed(seed)
    transformers.PaliGemmaForConditionalGeneration(config).eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


FAMILIES: dict[str, Callable[..., Path]] = {
    "internvl": save_internvl,
    "llava": save_llava,
    "paligemma": save_paligemma,
    "qwen2_5_vl": save_qwen2_5_vl,
    "qwen3_5": save_qwen3_5,
    "qwen3_vl": save_qwen3_vl,
}
