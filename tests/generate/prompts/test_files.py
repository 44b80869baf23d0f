"""Prompts of the user: what a text, a table and JSON Lines can say, and what is wrong with a file."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diptych.data.checks import Checks
from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import PROMPT_SETS, Prompt, PromptSet
from diptych.generate.prompts.csv_file import csv_file
from diptych.generate.prompts.geneval import geneval
from diptych.generate.prompts.input_images import InputImage
from diptych.generate.prompts.jsonl_file import jsonl_file
from diptych.generate.prompts.partiprompts import partiprompts
from diptych.generate.prompts.txt_file import txt_file
from diptych.lookup import resolve

TWO_CATS = {"include": [{"class": "cat", "count": 2}]}
CHECKS = Checks.model_validate(TWO_CATS)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("key", ["prompt", "negative", "id"])
def test_half_a_character_is_refused_with_its_line(key: str, tmp_path: Path) -> None:
    line = json.dumps({"prompt": "a fish"} | {key: "\ud800 fish"})
    path = write(tmp_path / "p.jsonl", '{"prompt": "a house"}\n' + line + "\n")
    with pytest.raises(DataError, match=r"p\.jsonl:2: \\ud800 is half of a character") as caught:
        jsonl_file(path=path)
    assert "\n" not in str(caught.value)


def test_txt_has_a_prompt_a_line_numbered_by_the_line(tmp_path: Path) -> None:
    found = txt_file(path=write(tmp_path / "p.txt", "\ufeffa cat\r\n\n  eine Katze \u2028 ü\n"))
    assert [(prompt.id, prompt.text) for prompt in found.prompts] == [("1", "a cat"), ("3", "eine Katze \u2028 ü")]
    assert found.prompts[0] == Prompt("1", "a cat")


def test_jsonl_says_all_that_a_prompt_can(tmp_path: Path) -> None:
    for name in ("cat.png", "mask.png"):
        (tmp_path / name).write_bytes(name.encode())
    line = {
        "prompt": "a cat",
        "id": 5,
        "category": ["animal", "photo", "animal"],
        "negative": "",
        "checks": TWO_CATS,
        "images": ["cat.png", {"path": "mask.png", "role": "mask", "sha256": sha256(b"mask.png")}],
        "level": 2,
        "note": None,
    }
    path = write(tmp_path / "p.jsonl", json.dumps(line) + '\n\n{"prompt": "a dog", "category": "animal"}\n')
    first, second = jsonl_file(path=path, carry=["level", "note"]).prompts
    assert (first.id, first.text, first.categories, first.negative) == ("5", "a cat", ("animal", "photo"), "")
    assert first.checks == CHECKS
    assert [image.name for image in first.images] == [f"image:{sha256(b'cat.png')}", f"mask:{sha256(b'mask.png')}"]
    assert [image.read() for image in first.images] == [b"cat.png", b"mask.png"]
    assert first.columns == {"level": 2, "note": None}
    assert second == Prompt("3", "a dog", ("animal",), columns={"level": None, "note": None})


def test_a_table_says_all_that_a_prompt_can(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"cat")
    quoted = json.dumps(TWO_CATS).replace('"', '""')
    table = write(
        tmp_path / "p.csv",
        "text,nr,kind,style,not,want,from,level\n"
        f'"a ""big"" cat, sleeping",7,animal,photo,,"{quoted}",cat.png,2\n'
        '"two\nlines",8,,"[""a"", ""b""]",blurry,,"[{""path"": ""cat.png"", ""role"": ""mask""}]",\n',
    )
    columns = {"prompt": "text", "id": "nr", "category": ["kind", "style"], "negative": "not", "checks": "want"}
    first, second = csv_file(path=table, columns={**columns, "images": "from"}, carry=["level"]).prompts
    assert (first.id, first.text, first.negative) == ("7", 'a "big" cat, sleeping', None)
    assert (first.categories, first.checks, first.columns) == (("animal", "photo"), CHECKS, {"level": "2"})
    assert [image.name for image in first.images] == [f"image:{sha256(b'cat')}"]
    assert (second.text, second.categories, second.negative) == ("two\nlines", ("a", "b"), "blurry")
    assert [image.role for image in second.images] == ["mask"]


def test_columns_of_a_table_that_have_the_name_of_a_key_are_that_key(tmp_path: Path) -> None:
    (prompt,) = csv_file(path=write(tmp_path / "p.tsv", "prompt\tcategory\tother\na, b\tanimal\t1\n")).prompts
    assert prompt == Prompt("1", "a, b", ("animal",))


@pytest.mark.parametrize("header", ["prompt,prompt_id", "Prompt,Prompt ID", "text,item_id", "caption,ID"])
def test_a_column_of_another_common_name_is_that_key_too(header: str, tmp_path: Path) -> None:
    found = csv_file(path=write(tmp_path / "p.csv", f"{header}\na fish,7\n"))
    assert (found.prompts, found.notes) == ((Prompt("7", "a fish"),), ())


def test_a_column_that_is_not_read_though_it_is_called_so_is_noted(tmp_path: Path) -> None:
    found = csv_file(path=write(tmp_path / "p.csv", "id,prompt_id,prompt,negativ,level\n1,x7,a fish,fog,2\n"))
    assert found.prompts == (Prompt("1", "a fish"),)
    assert found.notes == (
        "p.csv: the column 'prompt_id' is not read, as id is 'id'",
        "p.csv: the column 'negativ' is not read; if it is negative, say columns: {negative: negativ}",
    )
    assert csv_file(path=tmp_path / "p.csv", columns={"id": "prompt_id"}).prompts[0].id == "x7"


def test_an_input_image_that_changed_since_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = InputImage(sha256(b"before"), path)
    path.write_bytes(b"after")
    with pytest.raises(DataError, match=r"a\.png.*changed since the prompts were read"):
        image.read()
    assert InputImage(sha256(b"x"), b"x", "mask").read() == b"x"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["caption"], "carry: the column 'caption' belongs to diptych"),
        (["model"], "carry: the column 'model' belongs to diptych"),
        (["Caption"], "carry: the column 'Caption' belongs to diptych"),
        (["category"], "carry: the column 'category' belongs to diptych"),
        (["Note", "note"], "carry: the column 'note' is there twice"),
        (["a b"], "carry: 'a b' cannot name a column"),
    ],
)
def test_a_further_column_has_a_name_of_its_own(names: list[str], message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", '{"prompt": "a"}')
    for read in (jsonl_file, csv_file):
        with pytest.raises(ConfigError, match=message):
            read(path=path, carry=names)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"promt": "a"}, "columns: unknown key 'promt'; did you mean 'prompt'"),
        ({"id": ["a", "b"]}, r"columns: id is one column, got \['a', 'b'\]"),
    ],
)
def test_columns_of_a_table_are_named_by_key(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        csv_file(path=write(tmp_path / "p.csv", "prompt\na\n"), columns=columns)


@pytest.mark.parametrize(
    ("read", "name", "text", "message"),
    [
        (txt_file, "p.txt", "\n \n", "p.txt: no prompts there"),
        (csv_file, "p.csv", "Prompt,prompt\na,b\n", "p.csv: the columns 'Prompt' and 'prompt' are called alike"),
        (txt_file, "p.json", '["a", "b"]', "p.json: not one prompt a line by its name; write one prompt a line"),
        (jsonl_file, "p.jsonl", '[{"prompt": "a"}]', "p.jsonl: one JSON array; JSON Lines has an object in each line"),
        (csv_file, "p.csv", "words\na\n", r"p.csv: unknown column 'prompt'. Known: words"),
        (csv_file, "p.csv", "", r"p.csv: unknown column 'prompt'; there is none"),
        (csv_file, "p.csv", "prompt,x\na\n", "p.csv:2: the row has not the 2 fields"),
        (csv_file, "p.csv", "prompt\na,b\n", "p.csv:2: the row has not the 1 fields"),
        (csv_file, "p.csv", 'prompt\n"a', r"p.csv: after line 1: unexpected end of data"),
        (csv_file, "p.csv", "prompt\na\n\n", None),
        (csv_file, "p.csv", 'prompt\n" "\n', "p.csv:2: the prompt with the id '1' is empty"),
        (jsonl_file, "p.jsonl", "[1]\n", "p.jsonl:1: must be a JSON object"),
        (jsonl_file, "p.jsonl", "{\n", "p.jsonl:1: not JSON"),
        (jsonl_file, "p.jsonl", '{"promt": "a"}\n', "p.jsonl:1: unknown key 'promt'; did you mean 'prompt'"),
        (jsonl_file, "p.jsonl", '{"id": "a"}\n', "p.jsonl:1: prompt: must be a text, got None"),
        (jsonl_file, "p.jsonl", '{"prompt": ["a"]}\n', r"p.jsonl:1: prompt: must be a text, got \['a'\]"),
        (
            jsonl_file,
            "p.jsonl",
            '{"prompt": "a", "id": 1}\n{"prompt": "b", "id": 1}\n',
            "p.jsonl:2: the id '1' stands in line 1 already",
        ),
        (jsonl_file, "p.jsonl", "[" * 100_000, "p.jsonl:1: not JSON"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "category": 3}\n', "p.jsonl:1: category: must be a text .* got 3"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "negative": 0.5}\n', "p.jsonl:1: negative: must be a text, got 0.5"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "checks": {"text": []}}\n', "p.jsonl:1: checks: unknown key 'text'"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": [3]}\n', "p.jsonl:1: images: must be a path .* got 3"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": "b.png"}\n', r"b\.png: the input image cannot be read"),
        (
            jsonl_file,
            "p.jsonl",
            '{"prompt": "a", "images": ["http://bucket/sea.png"]}\n',
            "p.jsonl:1: images: http://bucket/sea.png: no place of http:// can be used",
        ),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": {"pth": "b"}}\n', "p.jsonl:1: images: unknown key 'pth'"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": {"role": "b"}}\n', "images: the key 'path' is missing"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": {"path": "p.jsonl", "role": ""}}\n', "a role has letters"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "images": {"path": "p.jsonl", "sha256": "ab"}}\n', "not 'ab'"),
        (csv_file, "p.csv", "prompt,checks\n\na,[1]\n", r"p.csv:3: checks: must be an object .* got \[1\]"),
        (geneval, "p.jsonl", '{"tag": "colour", "prompt": "a"}\n', "GenEval has no tag 'colour'"),
        (
            geneval,
            "p.jsonl",
            '{"tag": "colors", "prompt": "a", "include": []}\n',
            "p.jsonl:1: include: must name an object",
        ),
        (partiprompts, "p.tsv", "Prompt\tCategory\n", "PartiPrompts begins with the columns"),
        (partiprompts, "p.tsv", "Prompt\tCategory\tChallenge\tNote\na\tb\n", "p.tsv:2: 2 fields, the header has 4"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_what_and_where(
    read: Callable[..., PromptSet], name: str, text: str, message: str | None, tmp_path: Path
) -> None:
    path = write(tmp_path / name, text)
    if message is None:
        assert read(path=path).prompts
        return
    with pytest.raises(DataError, match=message) as caught:
        read(path=path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file of prompts"):
        txt_file(path=tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"tea\ncaf\xe9\n")
    with pytest.raises(DataError, match="line 2 has a byte that is no UTF-8: 0xe9; save"):
        txt_file(path=tmp_path / "latin.txt")
    with pytest.raises(DataError, match="cannot be read"):
        txt_file(path=tmp_path)


@pytest.mark.parametrize("value", [[1], {"a": 1}, 2**63, float("inf")])
def test_a_further_value_is_a_text_a_number_or_a_truth_value(value: object, tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", json.dumps({"prompt": "a", "level": value}))
    with pytest.raises(DataError, match=r"p\.jsonl:1: level: must be a text, a number of 64 bits, true or false, got"):
        jsonl_file(path=path, carry=["level"])


@pytest.mark.parametrize(
    "name", ["genai_bench", "hpsv2", "oneig", "t2i_compbench_color", "t2i_corebench", "tiif_short", "wise_legacy"]
)
def test_file_in_the_place_of_a_folder_of_prompts_is_told_with_what_to_give(name: str, tmp_path: Path) -> None:
    given = tmp_path / "genai_image.json"
    given.write_text("{}", "utf-8")
    with pytest.raises(DataError, match=r"genai_image\.json: is a file; give the folder that holds [\w/.-]+$"):
        resolve(PROMPT_SETS, "prompt set", name)(path=given)
