"""Tiny readers of random weights, saved as the libraries save real ones; their classes are the libraries' own."""

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
WORDS = ("What", "is", "the", "text", "in", "image", ",", "with", "regions", "?", "stop", "open")
PLACES = tuple(f"<loc_{number}>" for number in range(1000))


def tokenizer(*more: str) -> transformers.PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(SPECIAL + WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    made.add_special_tokens({"additional_special_tokens": list(more)})
    return made


def save_trocr(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    seeing = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=8,
    )
    writing = transformers.TrOCRConfig(
        vocab_size=len(SPECIAL + WORDS),
        d_model=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
        max_position_embeddings=128,
        init_std=0.5,
    )
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(seeing, writing)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
    model = transformers.VisionEncoderDecoderModel(config=config).eval()
    model.generation_config.update(decoder_start_token_id=2, pad_token_id=1, eos_token_id=2, bos_token_id=0)
    model.save_pretrained(folder)
    pictures = transformers.ViTImageProcessor(size={"height": 32, "width": 32})
    transformers.TrOCRProcessor(pictures, tokenizer()).save_pretrained(folder)
    return folder


def save_florence2(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    words = tokenizer("<image>", *PLACES)
    words.image_token, words.image_token_id = "<image>", words.convert_tokens_to_ids("<image>")
    words.init_kwargs["image_token"] = "<image>"
    writing = transformers.BartConfig(
        vocab_size=len(words),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=2048,
        init_std=0.5,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
        decoder_start_token_id=2,
    )
    seeing = {
        "depths": [1, 1, 1, 1],
        "embed_dim": [8, 8, 8, 8],
        "num_heads": [1, 1, 1, 1],
        "num_groups": [1, 1, 1, 1],
        "window_size": 2,
        "projection_dim": 16,
    }
    config = transformers.Florence2Config(
        text_config=writing, vision_config=seeing, image_token_id=words.image_token_id
    )
    model = transformers.Florence2ForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    features = model.get_image_features(pixel_values=torch.zeros(1, 3, 64, 64)).pooler_output
    pictures = transformers.CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False, do_resize=True)
    pictures.image_seq_length = features.reshape(-1, 16).shape[0]
    rules = {"ocr": {"PATTERN": None, "AREA_THRESHOLD": 0.0}}
    transformers.Florence2Processor(pictures, words, post_processor_config=rules).save_pretrained(folder)
    return folder
