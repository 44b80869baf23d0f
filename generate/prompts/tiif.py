"""TIIF-Bench: 2,538 prompts, each short and long, with yes-or-no questions (Wei et al. 2025, arXiv:2506.02161).

Short and long prompts are two sets, and so are the 277 of ``testmini`` of either. Upstream states no licence, so that
the files are the user's to fetch: a folder such as its ``data``. A prompt has its type (``shape+color``) as its
category, a question its group and its type as its tags; the id is the type and the place in its file, from 0, which is
what upstream calls the picture. Prompts that ask for words to be written have these as texts too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from diptych.asset_folders import ASSET_FOLDERS
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

Length = Literal["short", "long"]

_ATTRIBUTES, _PLACES = ("color", "texture"), ("2d", "3d")
_REASONS = ("numeracy", "negation", "differentiation", "comparison")
# The groups that upstream averages, each over its types.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "attribute": ("shape+color", "color+texture", "texture+color", "shape+texture"),
    "relation": ("2d_spatial_relation", "3d_spatial_relation", "action+2d", "action+3d"),
    "reasoning": _REASONS,
    "attribute+relation": (
        *(f"action+{attribute}" for attribute in _ATTRIBUTES),
        *(f"{attribute}+{place}" for attribute in ("color", "shape", "texture") for place in _PLACES),
    ),
    "attribute+reasoning": tuple(f"{reason}+{attribute}" for reason in _REASONS for attribute in _ATTRIBUTES),
    "relation+reasoning": tuple(f"{reason}+{place}" for reason in _REASONS for place in _PLACES),
    "text generation": ("text",),
    "style control": ("style",),
    "real world": ("real_world",),
}
GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
WORD = re.compile(r"Is the text '(?P<word>.+)' in the image\?")  # how a question names a word to be written


def tiif_short(*, path: ReadPath) -> PromptSet:
    """Return the short prompts of ``test_prompts`` and the questions of ``test_eval_prompts``.

    Args:
        path: A folder that holds these two, as upstream's ``data`` does.

    Raises:
        DataError: If a file cannot be read or a line has another form.
    """
    return _prompt_set(path, "tiif", "short")


def tiif_long(*, path: ReadPath) -> PromptSet:
    """Return the long prompts of ``test_prompts``; argument and errors as of ``tiif_short``."""
    return _prompt_set(path, "tiif", "long")


def tiif_mini_short(*, path: ReadPath) -> PromptSet:
    """Return the short prompts of ``testmini_prompts``; argument and errors as of ``tiif_short``."""
    return _prompt_set(path, "tiif-mini", "short")


def tiif_mini_long(*, path: ReadPath) -> PromptSet:
    """Return the long prompts of ``testmini_prompts``; argument and errors as of ``tiif_short``."""
    return _prompt_set(path, "tiif-mini", "long")


def _prompt_set(path: ReadPath, folder: str, length: Length) -> PromptSet:
    known, part = ASSET_FOLDERS[folder], "test" if folder == "tiif" else "testmini"
    files, found = list[ReadPath](), list[tuple[ReadPath, int, Prompt]]()
    for kind in sorted(GROUP_OF):
        pair = (
            path / f"{part}_prompts" / f"{kind}_prompts.jsonl",
            path / f"{part}_eval_prompts" / f"{kind}_eval_prompts.jsonl",
        )
        files += pair
        found += _prompts(kind, *pair, length)
    whole = set_of_files(found, files)
    if whole.sha256 == known.sha256:
        return replace(whole, source=known.url, licence=known.licence)
    return replace(whole, source=path.resolve().name)


def _prompts(kind: str, asked: ReadPath, questions: ReadPath, length: Length) -> Iterator[tuple[ReadPath, int, Prompt]]:
    prompts, checks = (list(json_lines(read_text(file), file)) for file in (asked, questions))
    if len(prompts) != len(checks):
        raise DataError(f"{asked}: {len(prompts):,} prompts, but {questions} has questions to {len(checks):,}")
    for number, ((line, one), (other, about)) in enumerate(zip(prompts, checks, strict=True)):
        place = RecordPlace(asked, line)
        if text_of(one, "type", place) != kind:
            raise DataError(f"{place}: type: must be {kind!r}, as the file is called, got {one['type']!r}")
        where = RecordPlace(questions, other)
        told = parse_checks(_checks(kind, about, where), str(where))
        yield asked, line, Prompt(f"{kind}-{number}", text_of(one, f"{length}_description", place), (kind,), told)


def _checks(kind: str, about: Mapping[str, Any], place: RecordPlace) -> dict[str, Any]:
    asked, answers = about.get("yn_question_list"), about.get("yn_answer_list")
    if not isinstance(asked, list) or not isinstance(answers, list) or len(asked) != len(answers):
        raise DataError(f"{place}: yn_question_list and yn_answer_list: must be lists of one length")
    if not all(isinstance(text, str) for text in (*asked, *answers)):
        raise DataError(f"{place}: yn_question_list and yn_answer_list: must hold texts, got {asked!r} and {answers!r}")
    questions = [
        {"question": question.strip(), "answer": answer.strip().lower(), "tags": [GROUP_OF[kind], kind]}
        for question, answer in zip(asked, answers, strict=True)
    ]
    words = [found["word"] for question in asked if (found := WORD.fullmatch(question.strip()))]
    return {"questions": questions, "texts": words if kind == "text" else []}
