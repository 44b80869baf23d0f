"""What pipelines put around a prompt before a text encoder reads it, as far as it takes of the length that is read.

Each function returns how many ids of that length are not the prompt's own, marks that the tokenizer adds to any text
left out. It gets the tokenizer, and the arguments of the pipeline's call with their defaults.
"""

from collections.abc import Mapping
from typing import Any

MARK = "PROMPT"
KREA_SUFFIX = 5  # ids after the prompt: the end of the turn and the begin of the next (diffusers, pipeline_krea2.py)
SANA_MARKS = 2  # ids that its code leaves for the marks of a text, however many there are (pipeline_sana.py)
# What Lumina 2 says before each prompt unless it is told otherwise (diffusers, pipeline_lumina2.py).
LUMINA_SYSTEM = (
    "You are an assistant designed to generate superior images with the superior degree of image-text alignment based "
    "on textual prompts or user prompts."
)


def chat(tokenizer: Any, arguments: Mapping[str, Any]) -> int:
    """Return the ids before a prompt that is the turn of a user (FLUX.2-klein, Z-Image)."""
    turn = [{"role": "user", "content": MARK}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    return _ids(tokenizer, str(text).partition(MARK)[0])


def krea(tokenizer: Any, arguments: Mapping[str, Any]) -> int:
    """Return the ids after a prompt; those before it are not counted."""
    return KREA_SUFFIX


def lumina(tokenizer: Any, arguments: Mapping[str, Any]) -> int:
    """Return the ids of the words to the system and of what parts them from the prompt."""
    return _ids(tokenizer, f"{arguments.get('system_prompt') or LUMINA_SYSTEM} <Prompt Start> ")


def sana(tokenizer: Any, arguments: Mapping[str, Any]) -> int:
    """Return the ids that are left for marks; the instruction itself is not counted, and without it nothing is left."""
    own_marks = len(tokenizer("")["input_ids"])
    return SANA_MARKS - own_marks if arguments.get("complex_human_instruction") else 0


def _ids(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
