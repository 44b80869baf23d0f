"""UniGenBench++: 600 prompts with points to look for, short or long, English or Chinese (Wang et al. 2025, 2510.18701).

A point has a dimension (``Attribute - Quantity``), which are the tags of its question, and what it is in the prompt
(``two pandas``). Upstream's judge is told all points of a prompt at once and gives each a 0 or a 1; here each is a
question, yes or no, in the words of upstream's point. The id is upstream's number, the category the primary one. Where
a comma lacks between two texts of a list, as in one row of the long English prompts, it is read as if it were there.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import HeadedRows, json_value, whole_json
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace
from diptych.storage.store_path import ReadPath

NO_COMMA = re.compile(r'"\s+"')  # nothing but spaces between two texts


class UniGenForm(NamedTuple):
    """How the table of a language is written: its columns, the keys of what it says of a prompt, and a question."""

    header: tuple[str, str, str]
    category: str
    points: str
    descriptions: str
    question: str


ENGLISH = UniGenForm(
    ("index", "prompt_en", "sub_dims_en"),
    "Primary Categories",
    "Testpoints",
    "Testpoint Description",
    'Does the image show "{}", as it is asked for in respect of {}?',
)
CHINESE = UniGenForm(
    ("index", "prompt_zh", "sub_dims_zh"),
    "一级垂类",
    "考点",
    "考点对应描述",
    "就{1}而言，图像是否符合要求：“{0}”？",  # noqa: RUF001 -- Chinese has these marks
)


def unigenbench(*, path: ReadPath | None = None) -> PromptSet:
    """Return the short English prompts, of ``test_prompts_en.csv`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    return _prompt_set(path, "unigenbench-en", ENGLISH)


def unigenbench_long(*, path: ReadPath | None = None) -> PromptSet:
    """Return the long English prompts, of ``test_prompts_en_long.csv`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    return _prompt_set(path, "unigenbench-en-long", ENGLISH)


def unigenbench_zh(*, path: ReadPath | None = None) -> PromptSet:
    """Return the short Chinese prompts, of ``test_prompts_zh.csv`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    return _prompt_set(path, "unigenbench-zh", CHINESE)


def unigenbench_zh_long(*, path: ReadPath | None = None) -> PromptSet:
    """Return the long Chinese prompts, of ``test_prompts_zh_long.csv`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    return _prompt_set(path, "unigenbench-zh-long", CHINESE)


def _prompt_set(path: ReadPath | None, asset: str, form: UniGenForm) -> PromptSet:
    file = path or fetch(asset)
    table = HeadedRows(read_text(file), file)
    if table.header != form.header:
        raise DataError(f"{file}:1: UniGenBench has the columns {', '.join(form.header)}, got {list(table.header)}")
    prompts = [(line, _prompt(row, RecordPlace(file, line), form)) for line, row in table]
    return set_of_file(prompts, file, asset=asset)


def _prompt(row: Mapping[str, str], place: RecordPlace, form: UniGenForm) -> Prompt:
    number, text, said = (row[name] for name in form.header)
    facts = _facts(said, f"{place}: {form.header[2]}")
    points, described = (
        facts.get(key) if isinstance(facts, dict) else None for key in (form.points, form.descriptions)
    )
    if not isinstance(points, list) or not isinstance(described, list) or len(points) != len(described):
        raise DataError(f"{place}: {form.points} and {form.descriptions}: must be lists of one length, got {facts!r}")
    questions = [
        {
            "question": form.question.format(description, point),
            "tags": [part.strip() for part in str(point).split("-", 1)],
            "about": str(description),
        }
        for point, description in zip(points, described, strict=True)
    ]
    category = str(facts.get(form.category) or "")
    return Prompt(number, text, (category,) if category else (), parse_checks({"questions": questions}, str(place)))


def _facts(text: str, where: str) -> Any:
    try:
        return whole_json(text)
    except ValueError:
        return json_value(NO_COMMA.sub('", "', text), where)
