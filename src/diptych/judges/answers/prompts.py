"""How a question about a picture is put to a vision-language model: by its chat template, or plainly where it has none.

Plainly is the picture, then the system text and a line break where there is one, then the question. A template is asked
not to begin a chain of thought, since an answer is read at its first token, and is given one date, since some write
down the present one (that which Llama 3.2's template says where it knows none).
"""

from typing import Any

from diptych.errors import DataError, one_line

DATE = "26 Jul 2024"
ASKED = "{question}"  # stands for the question where the identity says how one is put


def prompt_of(processor: Any, question: str, system: str, where: str) -> str:
    """Return a question as it is sent.

    Args:
        processor: Of transformers, of the model.
        question: The question.
        system: What the model is told before; empty for nothing.
        where: Whose model it is, for errors.

    Raises:
        DataError: If the template breaks, or the model has none and no token that stands for a picture.
    """
    if not getattr(processor, "chat_template", None):
        token = getattr(processor, "image_token", None)
        if not isinstance(token, str):
            raise DataError(f"{where}: has no chat template and no token for a picture; give another model")
        return f"{token}{system}\n{question}" if system else f"{token}{question}"
    told = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
    asked = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
    try:
        return str(
            processor.apply_chat_template(
                [*told, asked], tokenize=False, add_generation_prompt=True, enable_thinking=False, date_string=DATE
            )
        )
    except Exception as error:  # whatever a template throws
        raise DataError(f"{where}: its chat template breaks: {one_line(error)}; give another model") from error


def begins_whole(processor: Any, prompt: str) -> bool:
    """Return whether a prompt already has the token with which the tokenizer would begin every text."""
    start = getattr(processor.tokenizer, "bos_token", None)
    return bool(start) and prompt.startswith(str(start))
