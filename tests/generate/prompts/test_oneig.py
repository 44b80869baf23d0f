"""OneIG-Bench's prompts from a folder as upstream's: aspects, questions with parents, texts, and what is wrong."""

import json
from pathlib import Path

import pytest
from oneig_folder import EN, asked, oneig_folder

from diptych.asset_families import ONEIG_EN, ONEIG_ZH
from diptych.asset_table import ASSETS, joined_source
from diptych.errors import DataError
from diptych.evaluate.protocols import find_protocol
from diptych.generate.prompts.oneig import oneig, oneig_zh


def test_prompt_is_of_its_aspect_length_and_form(tmp_path: Path) -> None:
    found = oneig(path=oneig_folder(tmp_path))
    assert [(prompt.id, prompt.categories) for prompt in found.prompts] == [
        ("anime_000", ("anime", "short", "T, P")),
        ("anime_001", ("anime", "long", "NP")),
        ("human_000", ("human", "middle", "NP")),
        ("object_000", ("object", "short", "NP")),
        ("text_000", ("text", "long", "NP")),
        ("reasoning_000", ("reasoning", "short", "NP")),
    ]
    assert [bool(prompt.checks) for prompt in found.prompts] == [True] * 5 + [False]
    assert [prompt.columns["reference_answer"] for prompt in found.prompts] == [""] * 5 + ["Mount Everest, K2"]
    assert (found.licence, found.source.startswith("OneIG-Bench.csv, anime.json")) == ("", True)
    assert [prompt.id for prompt in oneig_zh(path=tmp_path).prompts] == ["multilingualism_000", "text_000"]


def test_question_that_hangs_on_itself_or_on_none_of_its_prompt_hangs_on_nothing(tmp_path: Path) -> None:
    first, second, third, fourth = oneig(path=oneig_folder(tmp_path)).prompts[0].checks.questions
    assert (first.question, first.answer, first.choices) == ("Are there boys?", "yes", ("yes", "no"))
    assert [one.parents for one in (first, second, third, fourth)] == [(), ("1",), (), ("2",)]


def test_text_has_its_line_breaks_and_its_latex(tmp_path: Path) -> None:
    assert oneig(path=oneig_folder(tmp_path)).prompts[4].checks.texts == ("Sale:\nup to", "$\\frac{1}{2}$")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"prompts": "id,prompt\n1,x\n"}, r"OneIG-Bench.csv:1: OneIG-Bench has the columns category, id, prompt_en"),
        ({"prompts": EN.replace("Portrait", "Portraits")}, r"OneIG-Bench.csv:4: category: must be one of Anime"),
        ({"human": "{}"}, r"OneIG-Bench.csv:4: human '000' has nothing to check in the file of human"),
        ({"answers": "{}"}, r"OneIG-Bench.csv:7: reasoning '000' has nothing to check in the file of reasoning"),
        ({"answers": "[]"}, r"gt_answer.json: OneIG-Bench has an object of answers"),
        ({"human": "[]"}, r"human.json: OneIG-Bench has an object of questions"),
        ({"anime": json.dumps({"000": asked(question="[]")})}, r"anime.json: 000: question: must be an object"),
        ({"anime": json.dumps({"000": asked(dependency=3)})}, r"anime.json: 000: dependency: must be an object"),
        ({"text": ",id,text_content\n0,000,[1]\n"}, r"text_content.csv:2: text_content: must be a list of texts"),
        ({"text": ",id,text_content\n0,000,['a'\n"}, r"text_content.csv:2: text_content: must be a list of texts"),
        ({"text": "id\n1\n"}, r"text_content.csv:1: OneIG-Bench has the columns id and text_content"),
    ],
)
def test_folder_of_another_form_is_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        oneig(path=oneig_folder(tmp_path, **files))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_upstreams_files_are_one_folder_and_have_no_licence(language: str) -> None:
    files = ONEIG_EN if language == "en" else ONEIG_ZH
    assets = [f"oneig-{language}-{name}" for name in files]
    places = [place for place, *_ in files.values()]
    assert [ASSETS[name].url for name in assets] == [f"{joined_source(assets)}/{place}" for place in places]
    assert {ASSETS[name].licence for name in assets} == {"no licence stated"}
    ending = "" if language == "en" else "_zh"
    for part in ("alignment", "reasoning", "text"):
        assert list(find_protocol(f"oneig_{part}{ending}").assets) == assets
