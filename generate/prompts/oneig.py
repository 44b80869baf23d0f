r"""OneIG-Bench: 1,120 English prompts, 1,320 Chinese ones, of several aspects (Chang et al. 2025, arXiv:2506.07977).

The prompts of ``anime``, ``human``, ``object`` and, in Chinese, ``multilingualism`` have questions that hang on one
another, right with yes; those of ``text`` have texts to be read, those of ``reasoning`` an answer, which is the column
``reference_answer``. The id is that of upstream's results, ``anime_000``. A prompt is of its aspect, in English also of
its length (``short``, ``middle``, ``long``) and of its form: ``NP``, or tags and phrases, ``T, P``. Of the texts a
``\n`` is a line break; what else stands behind a backslash is LaTeX.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from diptych.asset_families import ONEIG_EN, ONEIG_ZH
from diptych.assets import fetch
from diptych.data.checks import NOTHING, REFERENCE_ANSWER, Checks, parse_checks
from diptych.data.text_records import HeadedRows, json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.records import RecordPlace
from diptych.storage.store_path import ReadPath

ASPECTS = {  # the folder of upstream's images, by the category of its table
    "Anime_Stylization": "anime",
    "Portrait": "human",
    "General_Object": "object",
    "Text_Rendering": "text",
    "Knowledge_Reasoning": "reasoning",
    "Multilingualism": "multilingualism",
}
QUESTIONS = ("anime", "human", "object", "multilingualism")  # aspects with questions
TEXT, REASONING, ANSWERS = "text", "reasoning", "answers"
NO_PARENT = "0"
LATEX = re.compile(r"\\(?![n'\"\\])")  # a backslash that Python would take for the beginning of something else


class OneIgTold(NamedTuple):
    """What is told of prompts by their ids: checks, by the names of aspects first, and reference answers."""

    checks: Mapping[str, Mapping[str, Checks]]
    answers: Mapping[str, Any]


class OneIgForm(NamedTuple):
    """How a language is written: its files, the column of the prompts, and those of what they are like."""

    language: str
    files: Mapping[str, tuple[str, str, int]]
    prompt: str
    kinds: tuple[str, ...]


ENGLISH = OneIgForm("en", ONEIG_EN, "prompt_en", ("prompt_length", "type"))
CHINESE = OneIgForm("zh", ONEIG_ZH, "prompt_cn", ())


def oneig(*, path: ReadPath | None = None) -> PromptSet:
    """Return the English prompts.

    Args:
        path: A folder with upstream's files in upstream's places, such as a clone; None downloads them.

    Raises:
        DataError: If a file cannot be had or has another form.
    """
    return _prompt_set(path, ENGLISH)


def oneig_zh(*, path: ReadPath | None = None) -> PromptSet:
    """Return the Chinese prompts; argument and errors as of ``oneig``."""
    return _prompt_set(path, CHINESE)


def _prompt_set(path: ReadPath | None, form: OneIgForm) -> PromptSet:
    assets = {name: f"oneig-{form.language}-{name}" for name in form.files}
    files = {name: path / form.files[name][0] if path else fetch(asset) for name, asset in assets.items()}
    table, *_ = files.values()
    known = {name: dict(_questions_of(files[name])) for name in QUESTIONS if name in files}
    told = OneIgTold({**known, TEXT: dict(_texts_of(files[TEXT]))}, _answers_of(files[ANSWERS]))
    prompts = [(table, line, prompt) for line, prompt in _prompts(table, form, told)]
    return set_of_files(prompts, list(files.values()), assets=list(assets.values()))


def _prompts(file: ReadPath, form: OneIgForm, told: OneIgTold) -> Iterator[tuple[int, Prompt]]:
    table = HeadedRows(read_text(file), file)
    wanted = ("category", "id", form.prompt, *form.kinds)
    if not set(wanted) <= set(table.header):
        raise DataError(f"{file}:1: OneIG-Bench has the columns {', '.join(wanted)}, got {list(table.header)}")
    for line, row in table:
        aspect, name = ASPECTS.get(row["category"]), row["id"]
        if aspect is None:
            raise DataError(f"{file}:{line}: category: must be one of {', '.join(ASPECTS)}, got {row['category']!r}")
        checks = NOTHING if aspect == REASONING else told.checks.get(aspect, {}).get(name)
        answer = told.answers.get(name) if aspect == REASONING else ""
        if checks is None or not isinstance(answer, str):
            raise DataError(f"{file}:{line}: {aspect} {name!r} has nothing to check in the file of {aspect}")
        kinds = (aspect, *(row[kind] for kind in form.kinds if row[kind]))
        columns = {REFERENCE_ANSWER: answer}
        yield line, Prompt(f"{aspect}_{name}", row[form.prompt], kinds, checks, columns=columns)


def _answers_of(file: ReadPath) -> Mapping[str, Any]:
    found = json_value(read_text(file), file)
    if not isinstance(found, dict):
        raise DataError(f"{file}: OneIG-Bench has an object of answers by the ids of prompts")
    return found


def _questions_of(file: ReadPath) -> Iterator[tuple[str, Checks]]:
    given = json_value(read_text(file), file)
    if not isinstance(given, dict):
        raise DataError(f"{file}: OneIG-Bench has an object of questions by the ids of prompts")
    for name, one in given.items():
        where = f"{file}: {name}"
        questions, parents = (_numbered(one, key, where) for key in ("question", "dependency"))
        yield name, parse_checks({"questions": list(_questions(questions, parents))}, where)


def _numbered(one: Any, key: str, where: str) -> Mapping[str, Any]:
    """Return what a prompt has by the numbers of its questions: an object, or the text of its JSON."""
    given = one.get(key) if isinstance(one, dict) else None
    found = json_value(given, where) if isinstance(given, str) else given
    if not isinstance(found, dict) or not found:
        raise DataError(f"{where}: {key}: must be an object by the numbers of questions, got {given!r}")
    return found


def _questions(questions: Mapping[str, Any], parents: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each question; one that hangs on itself, on none (0) or on one that is not there hangs on nothing there."""
    for name, text in questions.items():
        named = parents.get(name, [])
        above = dict.fromkeys(str(one) for one in named) if isinstance(named, list) else {}
        own = [one for one in above if one in questions and one not in (NO_PARENT, name)]
        yield {"id": name, "question": text, "parents": own}


def _texts_of(file: ReadPath) -> Iterator[tuple[str, Checks]]:
    table = HeadedRows(read_text(file), file)
    if not {"id", "text_content"} <= set(table.header):
        raise DataError(f"{file}:1: OneIG-Bench has the columns id and text_content, got {list(table.header)}")
    for line, row in table:
        place = RecordPlace(file, line)
        yield row["id"], parse_checks({"texts": texts_of(row["text_content"], place)}, str(place))


def texts_of(cell: str, place: RecordPlace) -> list[str]:
    r"""Return the texts that a cell lists as Python writes a list.

    >>> from pathlib import Path
    >>> texts_of(r"['Title\nAuthor', 'has $\frac{1}{2}$ of \'it\'']", RecordPlace(Path("t.csv"), 2))
    ['Title\nAuthor', "has $\\frac{1}{2}$ of 'it'"]

    Raises:
        DataError: If it lists none.
    """
    try:
        found = ast.literal_eval(LATEX.sub(r"\\\\", cell))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise DataError(f"{place}: text_content: must be a list of texts as Python writes it, got {cell[:80]!r}")
    return found
