"""The tokenizer and the text model of the demo pipelines: CLIP's own, cut down to the words of the drawn world.

The tokenizer knows those of CLIP's merges that the captions need, so it cuts them into the same tokens under other
numbers; words from elsewhere fall into their letters. The text model begins as the text tower of the demo CLIP, and so
knows from the first step what a word looks like.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from diptych.demo.world.captions import caption_of, prompt_of
from diptych.demo.world.scenes import scene

CONTEXT = 32  # tokens of a caption, begin and end included; the longest has 26
SCENES = 4000  # have every word that a caption can have
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def make_tokenizer() -> Any:
    """Return transformers' ``CLIPTokenizer`` with the tokens that captions of the drawn world have.

    Texts of more than ``CONTEXT`` tokens are cut.
    """
    from open_clip.tokenizer import SimpleTokenizer
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    known = SimpleTokenizer()
    merges = sorted(_merges(_words(), known.bpe_ranks), key=lambda pair: known.bpe_ranks[pair])
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges), BEGIN, END]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token=END, model_max_length=CONTEXT)


def make_text_model(clip_folder: Path, tokenizer: Any) -> Any:
    """Return transformers' ``CLIPTextModel`` with the weights of a CLIP's text tower, for the tokens of ``tokenizer``.

    Args:
        clip_folder: The CLIP in open_clip's layout.
        tokenizer: Its tokens are looked up by their text.
    """
    import json

    from open_clip.tokenizer import SimpleTokenizer
    from safetensors.torch import load_file
    from transformers import CLIPTextConfig, CLIPTextModel

    facts = json.loads((clip_folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]["text_cfg"]
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=facts["width"],
        intermediate_size=4 * facts["width"],
        projection_dim=facts["width"],
        num_hidden_layers=facts["layers"],
        num_attention_heads=facts["heads"],
        max_position_embeddings=tokenizer.model_max_length,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    weights = {name: value.float() for name, value in load_file(clip_folder / "open_clip_model.safetensors").items()}
    numbers = SimpleTokenizer().encoder
    rename = {BEGIN: "<start_of_text>", END: "<end_of_text>"}
    tokens = [numbers[rename.get(token, token)] for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    state = {
        "embeddings.token_embedding.weight": weights["token_embedding.weight"][tokens],
        "embeddings.position_embedding.weight": weights["positional_embedding"][: tokenizer.model_max_length],
    }
    for name, value in weights.items():
        state |= _renamed(name, value)
    model = CLIPTextModel(config)
    prefix = "text_model." if any(name.startswith("text_model.") for name in model.state_dict()) else ""
    model.load_state_dict({f"{prefix}{name}": value for name, value in state.items()}, strict=False)
    return model


def _renamed(name: str, value: Any) -> dict[str, Any]:
    """Return a weight of open_clip's text tower under transformers' names; nothing for the other weights."""
    if name.startswith("ln_final."):
        return {name.replace("ln_final", "final_layer_norm"): value}
    if not name.startswith("transformer.resblocks."):
        return {}
    layer, part = name.removeprefix("transformer.resblocks.").split(".", 1)
    kind = part.rpartition(".")[2]
    if part.startswith("attn.in_proj_"):
        halves = zip("qkv", value.chunk(3), strict=True)
        kind = kind.removeprefix("in_proj_")
        return {f"encoder.layers.{layer}.self_attn.{letter}_proj.{kind}": half for letter, half in halves}
    names = {
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "attn.out_proj": "self_attn.out_proj",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    }
    return {f"encoder.layers.{layer}.{names[part.rpartition('.')[0]]}.{kind}": value}


def _words() -> set[str]:
    """Return the words of the world: what stands between spaces and commas."""
    texts = (text for seed in range(SCENES) for text in (prompt_of(scene(seed)), *_captions(seed)))
    return {word for text in texts for word in re.sub(r"('s|[,-])", r" \1 ", text).split()}


def _captions(seed: int) -> Iterable[str]:
    shown = scene(seed)
    return (caption_of(shown, variant=variant) for variant in range(3))


def _merges(words: Iterable[str], ranks: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """Return the merges that byte pair encoding makes on the way to these words (Sennrich et al. 2016, algorithm 1)."""
    used: set[tuple[str, str]] = set()
    for word in words:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while True:
            pairs = [pair for pair in pairwise(parts) if pair in ranks]
            if not pairs:
                break
            best = min(pairs, key=lambda pair: ranks[pair])
            used.add(best)
            at = next(number for number in range(len(parts)) if tuple(parts[number : number + 2]) == best)
            parts[at : at + 2] = ["".join(best)]
    return used
