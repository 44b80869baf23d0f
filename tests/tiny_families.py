"""Tiny pipelines of many families with random weights, made offline and saved as folders.

Each file in ``golden/tiny_families`` says of a family its source, its pipeline class and, of each component, library,
class and config: what diffusers tests its own pipelines with, defaults left out. Tokenizers are replaced by those of
bytes and letters, which need no network.
"""

import contextlib
import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from tiny_pipelines import clip_tokenizer, t5_tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from transformers import BertTokenizer, ByT5Tokenizer, Qwen2Tokenizer

FOLDER = Path(__file__).parent / "golden" / "tiny_families"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def bert_tokenizer() -> BertTokenizer:
    letters = [chr(code) for code in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, model_max_length=77)


def qwen_tokenizer(first: str = "") -> Qwen2Tokenizer:
    """Return a tokenizer of bytes with the chat tokens and a chat template; ``first`` begins each text."""
    pieces = [*sorted(ByteLevel.alphabet()), *SPECIALS]
    tokenizer = Qwen2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=[],
        unk_token=SPECIALS[0],
        eos_token=SPECIALS[2],
        pad_token=SPECIALS[0],
        additional_special_tokens=SPECIALS[1:],
        model_max_length=1024,
    )
    tokenizer.chat_template = TEMPLATE
    if first:  # as GLM's own begins, so that no text is of no tokens
        special = [(first, tokenizer.convert_tokens_to_ids(first))]
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(f"{first} $A", special_tokens=special)
    return tokenizer


TOKENIZERS: dict[str, Callable[..., Any]] = {
    "BertTokenizer": bert_tokenizer,
    "ByT5Tokenizer": ByT5Tokenizer,
    "CLIPTokenizer": clip_tokenizer,
    "Qwen2Tokenizer": qwen_tokenizer,
    "T5Tokenizer": t5_tokenizer,
}


def build(name: str) -> Any:
    """Return the pipeline of a family, with weights from a seed."""
    said = described(name)
    parts = {part: _component(entry) for part, entry in said["components"].items()}
    for part, module in parts.items():  # each id of a tokenizer has a vector
        tokenizer = parts.get(part.replace("text_encoder", "tokenizer"))
        if "text_encoder" in part and tokenizer is not None and not isinstance(tokenizer, torch.nn.Module):
            _widen(module, len(tokenizer))
    for module in parts.values():
        if isinstance(module, torch.nn.Module):
            _draw(module)
    pipe = getattr(diffusers, said["pipeline"])(**parts, **said["switches"])
    pipe.set_progress_bar_config(disable=True)
    return pipe


def save(name: str, folder: Path) -> Path:
    """Save a family as a folder, as ``from_pretrained`` reads it, and return the folder."""
    target = folder / name
    build(name).save_pretrained(target)
    path = target / "model_index.json"
    index = json.loads(path.read_text())
    for part, entry in described(name)["components"].items():
        if entry is not None:  # as the released checkpoints name it, also a class that has moved since
            index[part] = entry[:2]
    path.write_text(json.dumps(index))
    return target


def save_small_files(name: str, folder: Path) -> Path:
    """Save what a plan reads of a family, its index and configs without weights, and return the folder."""
    said, target = described(name), folder / name
    for part, entry in said["components"].items():
        if entry is not None and "scheduler" in part:  # with the defaults of its class, as schedulers are saved
            _component(entry).save_config(target / part)
        elif entry is not None:
            (target / part).mkdir(parents=True)
            (target / part / "config.json").write_text(json.dumps(entry[2]))
    parts = {part: entry[:2] if entry else [None, None] for part, entry in said["components"].items()}
    (target / "model_index.json").write_text(json.dumps({"_class_name": said["pipeline"], **said["switches"], **parts}))
    return target


def described(name: str) -> dict[str, Any]:
    """Return what is said of a family: source, pipeline class, components, switches."""
    return json.loads((FOLDER / f"{name}.json").read_text())  # type: ignore[no-any-return]


def _component(entry: list[Any] | None) -> Any:
    if entry is None:
        return None
    library, kind, config = entry
    if kind in TOKENIZERS:
        return TOKENIZERS[kind](**config)
    found = _class_of(library, kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if library == "transformers" and issubclass(found, transformers.PreTrainedModel):
            return found(found.config_class(**config)).eval()
        made = found.from_config(config) if hasattr(found, "from_config") else found(**config)
    return made.eval() if isinstance(made, torch.nn.Module) else made


def _class_of(library: str, kind: str) -> Any:
    for module in (library, f"diffusers.pipelines.{library}", f"diffusers.pipelines.deprecated.{library}"):
        with contextlib.suppress(ModuleNotFoundError):
            if (found := getattr(importlib.import_module(module), kind, None)) is not None:
                return found
    raise LookupError(f"{library} has no {kind}")


def _widen(module: Any, size: int) -> None:
    embeddings = module.get_input_embeddings() if hasattr(module, "get_input_embeddings") else None
    if embeddings is not None and embeddings.num_embeddings < size:
        module.resize_token_embeddings(size)


def _draw(module: torch.nn.Module) -> None:
    """Give each weight a value from a seed: some are left as memory had them, or are 0 until training."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(fan_in))
            elif not torch.isfinite(parameter).all() or parameter.abs().max() > 10:
                parameter.fill_(0.02)
