"""A1111, Forge and their kin: ``parameters`` in a PNG, the comment of a JPEG or WebP.

An infotext is the prompt, lines that begin with ``Negative prompt:``, and a last line of ``Key: value`` pairs, behind
which extensions write lines of their own, such as ``Template:``. Where
Forge ran a model that reads its guidance as an input (``Distilled CFG Scale``), that is the guidance.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from diptych.data.text_records import whole_json
from diptych.generate.imported.tools.said import MAX_PROMPT, ToolSays, first_said, sampler_name, tool_says
from diptych.generate.imported.tools.texts import main_text

NEGATIVE = "Negative prompt:"
# Bounded, so that no text makes it slow.
PAIR = re.compile(r'\s{0,8}(\w[\w \-/]{0,60}):\s{0,8}("(?:\\.|[^\\"]){0,5000}"|[^,]*)(?:,|$)')
MAX_LETTERS = 2 * MAX_PROMPT
MAX_LINE = 50_000  # letters of the line of pairs
MIN_PAIRS = 3  # of a line of pairs, to be one: the prompt may have a colon as well
BEHIND = re.compile(r"\w[\w \-/]{0,60}:")  # how what extensions write behind the pairs begins
AUTOMATIC = "Automatic"  # schedule that the sampler brings along


def read_infotext(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what an infotext says; None where none is.

    Raises:
        ValueError: If it is longer than any is.
    """
    text = main_text(texts)
    return parse_infotext(text) if text is not None and not text.lstrip().startswith("{") else None


def parse_infotext(text: str) -> ToolSays | None:
    r"""Return what an infotext says; None of a text that has no line of pairs.

    >>> parse_infotext("a cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5").facts
    {'negative_prompt': 'blurry', 'seed': 5, 'steps': 20, 'sampler': 'Euler a', 'guidance': 7.0}
    """
    lines = text.replace("\r\n", "\n").strip().split("\n")
    if len(text) > MAX_LETTERS or len(lines[-1]) > MAX_LINE:
        raise ValueError(f"an infotext of {len(text):,} letters; none is that long")
    number, pairs = _pairs(lines)
    if number is None:
        return None
    prompt, negative = _split(lines[:number])
    behind = "\n".join(lines[number + 1 :]).strip()
    said = {key: _unquoted(value.strip()) for key, value in pairs.items()}
    schedule = said.get("Schedule type", AUTOMATIC)
    says = tool_says(
        prompt,
        negative_prompt=negative,
        seed=said.get("Seed"),
        steps=said.get("Steps"),
        sampler=sampler_name(said.get("Sampler"), None if schedule == AUTOMATIC else schedule),
        guidance=first_said(said, "Distilled CFG Scale", "CFG scale"),
        model=said.get("Model"),
    )
    is_read = not behind or BEHIND.match(behind)
    return says if is_read else replace(says, unclear=f"text behind its line of pairs: {behind!r}")


def _pairs(lines: list[str]) -> tuple[int | None, dict[str, str]]:
    """Return which line is that of pairs, the last that can be, and its pairs; None where none is."""
    for number in reversed(range(len(lines))):
        if "Steps:" in lines[number] and len(lines[number]) <= MAX_LINE:
            pairs = dict(PAIR.findall(lines[number]))
            if len(pairs) >= MIN_PAIRS and "Steps" in pairs:
                return number, pairs
    return None, {}


def _split(lines: list[str]) -> tuple[str, str]:
    """Return prompt and negative prompt; a program of this family knows no other negative prompt than a text."""
    starts = [number for number, line in enumerate(lines) if line.startswith(NEGATIVE)]
    first = starts[0] if starts else len(lines)
    negative = "\n".join(lines[first:]).removeprefix(NEGATIVE).removeprefix(" ")
    return "\n".join(lines[:first]).strip(), negative


def _unquoted(value: str) -> str:
    """Return a value without the quotes of JSON, in which one with a comma, a colon or a line break stands."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(whole_json(value))
        except ValueError:
            return value
    return value


def infotext_of(row: Mapping[str, Any]) -> str:
    r"""Return the infotext of a generated image, from its columns; what is null is left out.

    >>> row = {"caption": "a cat", "negative_prompt": None, "steps": 20, "sampler": "euler", "guidance": 7.0, "seed": 5}
    >>> infotext_of({**row, "width": 64, "height": 64, "model": "a, b"})
    'a cat\nSteps: 20, Sampler: euler, CFG scale: 7, Seed: 5, Size: 64x64, Model: "a, b"'
    """
    guidance = row["guidance"]
    pairs = {
        "Steps": row["steps"],
        "Sampler": row["sampler"],
        "CFG scale": f"{guidance:g}" if guidance is not None else None,
        "Seed": row["seed"],
        "Size": f"{row['width']}x{row['height']}",
        "Model": row["model"],
    }
    lines = [row["caption"] or ""]
    lines += [f"{NEGATIVE} {row['negative_prompt']}"] if row["negative_prompt"] is not None else []
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in pairs.items() if value is not None))
    return "\n".join(lines)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search(r"[,:\n]", value) else value
