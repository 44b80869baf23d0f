"""Tiny networks of random weights that answer questions, saved as transformers saves real ones."""

from pathlib import Path

import torch
import transformers

from diptych.judges.contract import Query

WORDS = ("a", "is", "there", "what", "how", "many", "red", "black", "cat", "dog", "##s", "yes", "no", "two", "?")
ANSWERS = ("yes", "no", "two", "red", "black cat")

YES_NO = ("yes", "no")
QUESTIONS = (  # about four pictures
    (Query("a red cat?", YES_NO), Query("what is there?"), Query("how many dogs?", ("two", "Black Cat", "red"))),
    (),
    (Query("a dog?", YES_NO),),
    (Query("is there a black cat?", YES_NO), Query("a red cat?", YES_NO)),
)


def save_bert_tokenizer(folder: Path, *special: str, longest: int = 64) -> transformers.BertTokenizer:
    """Save a tokenizer of a few words; further special tokens come after them, as BLIP's do."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens), "utf-8")
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"), model_max_length=longest)
    if special:
        tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_blip_vqa(folder: Path, seed: int = 0, *, encodes: bool = True) -> Path:
    """Save one; without ``encodes`` it has no token [ENC]."""
    tokenizer = save_bert_tokenizer(folder, "[DEC]", *(["[ENC]"] if encodes else []))
    torch.manual_seed(seed)
    config = transformers.BlipConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "encoder_hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "projection_dim": 16,
            "max_position_embeddings": 64,
            "bos_token_id": tokenizer.convert_tokens_to_ids("[DEC]"),
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            "is_decoder": True,
            "initializer_range": 0.5,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=16,
    )
    transformers.BlipForQuestionAnswering(config).eval().save_pretrained(folder)
    transformers.BlipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_vilt_vqa(folder: Path, seed: int = 0, *, most_patches: int = -1) -> Path:
    """Save one that looks at so many patches of a picture at most."""
    tokenizer = save_bert_tokenizer(folder, longest=40)
    torch.manual_seed(seed)
    config = transformers.ViltConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=40,
        image_size=64,
        patch_size=16,
        max_image_length=most_patches,
        initializer_range=0.5,
    )
    config.id2label = dict(enumerate(ANSWERS))
    config.label2id = {answer: number for number, answer in enumerate(ANSWERS)}
    transformers.ViltForQuestionAnswering(config).eval().save_pretrained(folder)
    transformers.ViltImageProcessor(size={"shortest_edge": 48}, size_divisor=16).save_pretrained(folder)
    return folder
