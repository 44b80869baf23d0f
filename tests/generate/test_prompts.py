"""The prompt sets: counts, forms, checks, and what is wrong with a file."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.assets import ASSETS
from diptych.data.checks import NOTHING, Checks
from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.scenes import LAYOUTS, RELATIONS, scene
from diptych.demo.world.seeds import DEMO_PROMPTS, HELD_OUT, HELD_OUT_PICTURES
from diptych.errors import ConfigError, DataError
from diptych.generate.chosen_prompts import read_prompts
from diptych.generate.config import GenerateConfig
from diptych.generate.prompts import PROMPT_SETS, PromptSet
from diptych.generate.prompts.csv_file import csv_file
from diptych.generate.prompts.demo import SEEDS_PER_LAYOUT, checks_of, demo
from diptych.generate.prompts.geneval import COUNTS, geneval
from diptych.generate.prompts.jsonl_file import jsonl_file
from diptych.generate.prompts.partiprompts import COUNT, partiprompts
from diptych.generate.prompts.txt_file import txt_file
from diptych.lookup import import_attribute

TWO_CATS = {"include": [{"class": "cat", "count": 2}]}


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def geneval_file(shared: Path) -> Path:
    return shared / "benchmarks" / "geneval" / "evaluation_metadata.jsonl"


@pytest.fixture
def parti_file(shared: Path) -> Path:
    return shared / "benchmarks" / "partiprompts" / "PartiPrompts.tsv"


@pytest.mark.parametrize("name", PROMPT_SETS)
def test_table_entry_resolves(name: str) -> None:
    assert callable(import_attribute(PROMPT_SETS[name]))
    assert list(PROMPT_SETS) == sorted(PROMPT_SETS)


def test_geneval_has_its_six_tags_with_their_counts(geneval_file: Path) -> None:
    found = geneval(path=geneval_file)
    counts = Counter(prompt.category for prompt in found.prompts)
    assert list(counts.items()) == list(COUNTS.items())
    assert list(counts.values()) == [80, 99, 80, 94, 100, 100]
    assert (found.licence, found.sha256) == ("MIT", ASSETS["geneval-metadata"].sha256)
    assert found.source == ASSETS["geneval-metadata"].url
    assert len({prompt.text for prompt in found.prompts}) == 553
    assert geneval_file.stat().st_size == ASSETS["geneval-metadata"].bytes


def test_geneval_keeps_prompts_ids_and_checks_as_upstream_has_them(geneval_file: Path) -> None:
    prompts = geneval(path=geneval_file).prompts
    lines = [json.loads(line) for line in geneval_file.read_text(encoding="utf-8").splitlines()]
    assert [prompt.text for prompt in prompts] == [line["prompt"] for line in lines]
    assert [prompt.id for prompt in prompts[:2]] == ["00000", "00001"]
    for prompt, line in zip(prompts, lines, strict=True):
        assert prompt.checks.to_object() == {part: line[part] for part in ("include", "exclude") if part in line}


def test_partiprompts_has_1632_prompts_of_12_categories(parti_file: Path) -> None:
    found = partiprompts(path=parti_file)
    counts = Counter(prompt.category for prompt in found.prompts)
    assert len(found.prompts) == COUNT == 1632
    assert len(counts) == 12
    assert (counts["Animals"], counts["Indoor Scenes"]) == (314, 40)
    assert (found.licence, found.sha256) == ("Apache-2.0", ASSETS["partiprompts"].sha256)
    assert sum('"' in prompt.text for prompt in found.prompts) > 10, "quotation marks belong to the prompts"
    assert parti_file.stat().st_size == ASSETS["partiprompts"].bytes


def test_a_changed_copy_is_not_called_the_benchmark(geneval_file: Path, tmp_path: Path) -> None:
    lines = geneval_file.read_text(encoding="utf-8").splitlines(keepends=True)
    found = geneval(path=write(tmp_path / "mine.jsonl", "".join(lines[:5])))
    assert (len(found.prompts), found.source, found.licence) == (5, "mine.jsonl", "")


def test_offline_benchmark_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"downloads are switched off; download https://\S+evaluation_metadata.jsonl"):
        geneval()


def test_demo_asks_for_every_plan_with_ids_and_texts_of_their_own() -> None:
    prompts = demo(per_category=12).prompts
    counts = Counter(prompt.category for prompt in prompts)
    assert counts == dict.fromkeys(LAYOUTS, 12) | {"figure": len(OCCUPATIONS)}
    for field in ("id", "text"):
        per_layout = Counter((prompt.category, getattr(prompt, field)) for prompt in prompts)
        assert max(per_layout.values()) == 1
    assert demo(per_category=12).prompts == prompts
    assert demo(per_category=5, categories=["single"]).prompts == prompts[:5], "fewer are the first ones of more"


def test_demo_takes_seeds_that_nothing_was_trained_or_measured_on() -> None:
    assert HELD_OUT < DEMO_PROMPTS
    assert DEMO_PROMPTS + SEEDS_PER_LAYOUT * len(LAYOUTS) < HELD_OUT_PICTURES


def test_demo_expects_in_the_form_of_geneval_what_the_prompt_says() -> None:
    for prompt in demo(per_category=15).prompts:
        assert prompt.checks.include
        for clause in prompt.checks.include:
            assert (clause.colour or "") in prompt.text
            if prompt.category != "count" and clause.count == 1:
                assert clause.label in prompt.text


def test_demo_expects_exact_counts_and_relations_with_the_object_first() -> None:
    counted = scene(5, layout="count")
    (clause,), (excluded,) = checks_of(counted).include, checks_of(counted).exclude
    assert clause.count == len(counted.things)
    assert (excluded.label, excluded.count) == (clause.label, clause.count + 1)
    for seed in range(20):
        drawn = scene(seed, layout="relation")
        target, subject = checks_of(drawn).include
        assert (subject.label, target.label) == (drawn.things[0].kind, drawn.things[1].kind)
        assert subject.position == (drawn.relation, 0)
        assert subject.position[0] in RELATIONS
        assert not checks_of(drawn).exclude
    figure = scene(3, layout="figure")
    assert figure.figure is not None
    assert checks_of(figure).to_object() == {"include": [{"class": figure.figure.occupation, "count": 1}]}


def test_demo_names_a_category_that_it_lacks() -> None:
    with pytest.raises(ConfigError, match="unknown category of the demo prompts 'singel'; did you mean 'single'"):
        demo(categories=["singel"])
    with pytest.raises(ConfigError, match=r"250 different prompts of single .* 200 at most; .*per_category"):
        demo(per_category=250, categories=["single"])
    with pytest.raises(ConfigError, match="100,000 different prompts of pair"):
        demo(per_category=100_000, categories=["pair"])
    with pytest.raises(ConfigError, match="per_category is -1; at least 1"):
        demo(per_category=-1)


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
    assert found.prompts[0] == ("1", "a cat", "", NOTHING, None)


def test_csv_reads_the_columns_that_are_named(tmp_path: Path) -> None:
    checks = json.dumps(TWO_CATS).replace('"', '""')
    text = f'text,nr,kind,not,want\n"a ""big"" cat, sleeping",7,animal,,"{checks}"\n"two\nlines",8,,blurry,\n'
    table = write(tmp_path / "p.csv", text)
    first, second = csv_file(
        path=table,
        prompt_column="text",
        id_column="nr",
        category_column="kind",
        negative_column="not",
        checks_column="want",
    ).prompts
    assert first == ("7", 'a "big" cat, sleeping', "animal", Checks.model_validate(TWO_CATS), None)
    assert second == ("8", "two\nlines", "", NOTHING, "blurry")
    assert csv_file(path=write(tmp_path / "p.tsv", "prompt\tx\na, b\t1\n")).prompts[0].text == "a, b"


def test_jsonl_reads_its_keys(tmp_path: Path) -> None:
    line = {"prompt": "a cat", "id": 5, "category": "animal", "negative": "", "checks": TWO_CATS}
    (prompt,) = jsonl_file(path=write(tmp_path / "p.jsonl", json.dumps(line) + "\n\n")).prompts
    assert prompt == ("5", "a cat", "animal", Checks.model_validate(TWO_CATS), "")


@pytest.mark.parametrize(
    ("read", "name", "text", "message"),
    [
        (txt_file, "p.txt", "\n \n", "p.txt: no prompts there"),
        (csv_file, "p.csv", "text\na\n", r"p.csv: unknown column 'prompt'. Known: text"),
        (csv_file, "p.csv", "", r"p.csv: unknown column 'prompt'. Known: "),
        (csv_file, "p.csv", "prompt,x\na\n", r"p.csv: row 1 \(line 2\) has not the 2 fields"),
        (csv_file, "p.csv", "prompt\na,b\n", r"p.csv: row 1 \(line 2\) has not the 1 fields"),
        (csv_file, "p.csv", 'prompt\n"a', r"p.csv: after line 1: unexpected end of data"),
        (csv_file, "p.csv", "prompt\na\n\n", None),
        (csv_file, "p.csv", 'prompt\n" "\n', r"p.csv: prompt 1 \(id '1'\) is empty"),
        (jsonl_file, "p.jsonl", "[1]\n", "p.jsonl:1: must be a JSON object"),
        (jsonl_file, "p.jsonl", "{\n", "p.jsonl:1: not JSON"),
        (jsonl_file, "p.jsonl", '{"promt": "a"}\n', "p.jsonl:1: unknown key 'promt'; did you mean 'prompt'"),
        (jsonl_file, "p.jsonl", '{"id": "a"}\n', "p.jsonl:1: 'prompt' must be a text, got None"),
        (jsonl_file, "p.jsonl", '{"prompt": ["a"]}\n', r"p.jsonl:1: 'prompt' must be a text, got \['a'\]"),
        (jsonl_file, "p.jsonl", '{"prompt": "a", "id": 1}\n{"prompt": "b", "id": 1}\n', "the id '1' stands twice"),
        (jsonl_file, "p.jsonl", "[" * 100_000, "p.jsonl:1: not JSON"),
        (geneval, "p.jsonl", '{"tag": "colour", "prompt": "a"}\n', "GenEval has no tag 'colour'"),
        (
            geneval,
            "p.jsonl",
            '{"tag": "colors", "prompt": "a", "include": []}\n',
            "p.jsonl:1: GenEval's prompts ask for objects",
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
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match="not UTF-8 text at byte 3"):
        txt_file(path=tmp_path / "latin.txt")
    with pytest.raises(DataError, match="cannot be read"):
        txt_file(path=tmp_path)


def choose(tmp_path: Path, **choice: object) -> list[str]:
    rows = "".join(f"{category}{number},{category}\n" for number in range(3) for category in "ab")
    path = write(tmp_path / "p.csv", "prompt,category\n" + rows)
    entry = {"kind": "csv", "path": str(path), "options": {"category_column": "category"}} | choice
    values = {"job": "generate", "prompts": [entry], "models": {"m": {"path_or_id": "m"}}}
    return [asked.prompt.text for asked in read_prompts(GenerateConfig.model_validate(values))[1]]


def test_prompts_are_chosen_by_category_by_number_of_each_and_in_all(tmp_path: Path) -> None:
    assert choose(tmp_path) == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert choose(tmp_path, categories=["b"]) == ["b0", "b1", "b2"]
    assert choose(tmp_path, per_category=2) == ["a0", "b0", "a1", "b1"]
    assert choose(tmp_path, per_category=2, limit=3) == ["a0", "b0", "a1"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"categories": ["c"]}, r"prompts \(csv\): unknown category 'c'. Known: a, b"),
        ({"options": {"colum": "a"}}, r"prompts.0 \(csv\): unknown option 'colum'"),
        ({"options": {"prompt_column": 3}}, r"prompts.0 \(csv\): option 'prompt_column': .* got 3"),
        ({"kind": "demo", "options": {}}, r"prompts.0 \(demo\): unknown option 'path'"),
        ({"path": None}, r"prompts.0 \(csv\): the option 'path' is missing"),
    ],
)
def test_a_choice_that_cannot_be_is_named(tmp_path: Path, choice: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose(tmp_path, **choice)
