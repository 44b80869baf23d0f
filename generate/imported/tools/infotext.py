"""A1111, Forge and their kin: ``parameters`` in a PNG, the comment of a JPEG or WebP.

An infotext is the prompt, lines that begin with ``Negative prompt:``, and a last line of ``Key: value`` pairs, behind
which extensions write lines of their own, such as ``Template:``. Where Forge ran a model that reads its guidance as an
input (``Distilled CFG Scale``), that is the guidance.

On the way some programs make one line of it. A1111 itself then takes all of it for pairs, and has no prompt
(``parse_generation_parameters`` of modules/infotext_utils.py); here the pairs begin where ``Steps:`` stands, if that is
one place alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.data.text_records import whole_json
from diptych.generate.imported.tools.said import MAX_PROMPT, ToolSays, also_unclear, first_said, sampler_name, tool_says
from diptych.generate.imported.tools.texts import main_text

NEGATIVE = "Negative prompt:"
# Bounded, so that no text makes it slow.
PAIR = re.compile(r'\s{0,8}(\w[\w \-/]{0,60}):\s{0,8}("(?:\\.|[^\\"]){0,5000}"|[^,]*)(?:,|$)')
MAX_LETTERS = 2 * MAX_PROMPT
MAX_LINE = 50_000  # letters of the line of pairs
KNOWN = frozenset({"Seed", "Sampler", "CFG scale", "Size", "Model", "Model hash"})  # two are pairs without Steps too
MIN_PAIRS = 3  # of a line of pairs, to be one: the prompt may have a colon as well
INSIDE = re.compile(r"(?<=\s)Steps:\s{0,8}\d+\s{0,8},")  # where pairs begin that stand behind a text
FIRST = re.compile(r"(?:Steps|Seed|Sampler|CFG scale|Size|Model):")  # how pairs begin that have no line before them
NEGATIVE_INSIDE = re.compile(rf"(?<!\S){NEGATIVE}")
BEHIND = re.compile(r"\w[\w \-/]{0,60}:")  # how what extensions write behind the pairs begins
AUTOMATIC = "Automatic"  # schedule that the sampler brings along


def read_infotext(texts: Mapping[str, str], file: str) -> ToolSays | None:
    """Return what an infotext says; None where none is.

    Raises:
        ValueError: If it is longer than any is.
    """
    text = main_text(texts)
    if not text or not text.strip() or text.lstrip().startswith("{"):
        return None
    says = parse_infotext(text)
    return _of_texts_alone(text, is_named="parameters" in texts) if says is None and "prompt" not in texts else says


def _of_texts_alone(text: str, *, is_named: bool) -> ToolSays | None:
    """Return the texts of an infotext without pairs, as A1111 reads it; None of one that may be anything.

    So may one be that has no negative prompt, and does not stand where programs of this family write.
    """
    prompt, negative = _split(text.replace("\r\n", "\n").strip().split("\n"))
    return tool_says(prompt, negative_prompt=negative) if is_named or negative else None


def parse_infotext(text: str) -> ToolSays | None:
    r"""Return what an infotext says; None of a text that has no line of pairs.

    >>> parse_infotext("a cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5").facts
    {'negative_prompt': 'blurry', 'seed': 5, 'steps': 20, 'sampler': 'Euler a', 'guidance': 7.0}
    """
    lines = text.replace("\r\n", "\n").strip().split("\n")
    if len(text) > MAX_LETTERS or len(lines[-1]) > MAX_LINE:
        raise ValueError(f"an infotext of {len(text):,} letters; none is that long")
    number, pairs = _pairs(lines)
    if number is None and INSIDE.search(lines[-1]):
        lines = _parted(lines)
        number, pairs = _pairs(lines)
        if number is None:
            return ToolSays(unclear=f"a text and pairs in one line, which may end in several places: {lines[-1]!r}")
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
    return says if is_read else also_unclear(says, f"text behind its line of pairs: {behind!r}")


def _pairs(lines: list[str]) -> tuple[int | None, dict[str, str]]:
    """Return which line is that of pairs, the last that can be, and its pairs; None where none is."""
    for number in reversed(range(len(lines))):
        line = lines[number]
        first = FIRST.match(line) if len(lines) == 1 else PAIR.match(line)
        if first and not line.startswith(NEGATIVE) and len(line) <= MAX_LINE:
            pairs = dict(PAIR.findall(line))
            if (len(pairs) >= MIN_PAIRS and "Steps" in pairs) or len(KNOWN & pairs.keys()) > 1:
                return number, pairs
    return None, {}


def _parted(lines: list[str]) -> list[str]:
    """Return the lines of an infotext of which the last holds a text and pairs, parted; as they are if not surely."""
    *before, last = lines
    starts = [found.start() for found in INSIDE.finditer(last)]
    text, pairs = last[: starts[0]], last[starts[0] :]
    if len(starts) > 1 or len(PAIR.findall(pairs)) < MIN_PAIRS:
        return lines
    negatives = [found.start() for found in NEGATIVE_INSIDE.finditer(text)]
    if before or not negatives:  # of several lines, a negative prompt begins one
        return [*before, text, pairs]
    return lines if len(negatives) > 1 else [text[: negatives[0]], text[negatives[0] :], pairs]


def _split(lines: Sequence[str]) -> tuple[str, str]:
    """Return prompt and negative prompt; a program of this family knows no other negative prompt than a text."""
    prompt, negative = list[str](), list[str]()
    side = prompt
    for line in map(str.strip, lines):
        side = negative if line.startswith(NEGATIVE) else side
        side.append(line.removeprefix(NEGATIVE).strip() if side is negative else line)
    return "\n".join(prompt).strip(), "\n".join(negative)


def reads_as(infotext: str) -> tuple[str, str]:
    r"""Return prompt and negative prompt that A1111 itself reads from an infotext.

    >>> reads_as("a cat\nNegative prompt: a dog\nSteps: 20, Seed: 5, Size: 8x8")
    ('a cat', 'a dog')
    """
    *lines, last = infotext.strip().split("\n")
    return _split(lines if len(PAIR.findall(last)) >= MIN_PAIRS else [*lines, last])


def _unquoted(value: str) -> str:
    """Return a value without the quotes of JSON, in which one with a comma, a colon or a line break stands."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(whole_json(value))
        except ValueError:
            return value
    return value


def infotext_of(row: Mapping[str, Any]) -> str | None:
    r"""Return the infotext of a generated image, from its columns; what is null is left out.

    None where A1111 would read another prompt from it: one with a line that begins a negative prompt, or that looks as
    pairs do.

    >>> row = {"caption": "a cat", "negative_prompt": None, "steps": 20, "sampler": "euler", "guidance": 7.0, "seed": 5}
    >>> infotext_of({**row, "width": 64, "height": 64, "model": "a, b"})
    'a cat\nSteps: 20, Sampler: euler, CFG scale: 7, Seed: 5, Size: 64x64, Model: "a, b"'
    """
    guidance = row["guidance"]
    asked = {
        "Steps": row["steps"],
        "Sampler": row["sampler"],
        "CFG scale": f"{guidance:g}" if guidance is not None else None,
        "Seed": row["seed"],
        "Size": f"{row['width']}x{row['height']}",
        "Model": row["model"],
    }
    pairs = [f"{key}: {_quoted(str(value))}" for key, value in asked.items() if value is not None]
    lines = [row["caption"] or ""]
    lines += [f"{NEGATIVE} {row['negative_prompt']}"] if row["negative_prompt"] is not None else []
    lines += [", ".join(pairs)] if len(pairs) >= MIN_PAIRS else []  # fewer are part of the prompt to A1111
    text = "\n".join(lines)
    meant = tuple(map(_plain, (row["caption"], row["negative_prompt"])))
    return text if tuple(map(_plain, reads_as(text))) == meant else None


def _plain(text: str | None) -> str:
    """Return a text without the spaces around its lines, which A1111 takes away."""
    return "\n".join(line.strip() for line in (text or "").strip().split("\n"))


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search(r"[,:\n]", value) else value
