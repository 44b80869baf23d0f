"""The prompt sets of benchmarks and of the demo: counts, forms and checks."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from diptych.asset_table import ASSETS
from diptych.assets import file_sha256
from diptych.demo.world.figures import OCCUPATIONS
from diptych.demo.world.scenes import LAYOUTS, RELATIONS, scene
from diptych.demo.world.seeds import DEMO_PROMPTS, HELD_OUT, HELD_OUT_PICTURES
from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import PROMPT_SETS
from diptych.generate.prompts.demo import SEEDS_PER_LAYOUT, checks_of, demo
from diptych.generate.prompts.genai_bench import genai_bench
from diptych.generate.prompts.geneval import COUNTS, geneval
from diptych.generate.prompts.partiprompts import COUNT, partiprompts
from diptych.lookup import import_attribute
from diptych.scores.geneval_rule import CATEGORIES


def test_evaluation_knows_the_categories_of_geneval() -> None:
    assert tuple(COUNTS) == CATEGORIES


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
    counts = Counter(category for prompt in found.prompts for category in prompt.categories)
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
    counts = Counter(category for prompt in found.prompts for category in prompt.categories)
    assert len(found.prompts) == COUNT == 1632
    assert len(counts) == 12
    assert (counts["Animals"], counts["Indoor Scenes"]) == (314, 40)
    assert (found.licence, found.sha256) == ("Apache-2.0", ASSETS["partiprompts"].sha256)
    assert sum('"' in prompt.text for prompt in found.prompts) > 10, "quotation marks belong to the prompts"
    assert parti_file.stat().st_size == ASSETS["partiprompts"].bytes
    challenges = Counter(prompt.columns["challenge"] for prompt in found.prompts)
    assert (len(challenges), challenges["Fine-grained Detail"], challenges["Quantity"]) == (11, 312, 90)


def test_a_changed_copy_is_not_called_the_benchmark(geneval_file: Path, tmp_path: Path) -> None:
    lines = geneval_file.read_text(encoding="utf-8").splitlines(keepends=True)
    found = geneval(path=write(tmp_path / "mine.jsonl", "".join(lines[:5])))
    assert (len(found.prompts), found.source, found.licence) == (5, "mine.jsonl", "")


def test_offline_benchmark_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"downloads are off \(\w+=1\); download https://\S+evaluation_metadata.jsonl"):
        geneval()


def test_demo_asks_for_every_plan_with_ids_and_texts_of_their_own() -> None:
    prompts = demo(per_category=12).prompts
    counts = Counter(category for prompt in prompts for category in prompt.categories)
    assert counts == dict.fromkeys(LAYOUTS, 12) | {"figure": len(OCCUPATIONS)}
    for field in ("id", "text"):
        per_layout = Counter((prompt.categories, getattr(prompt, field)) for prompt in prompts)
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
            if prompt.categories != ("count",) and clause.count == 1:
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


def test_genai_bench_has_1600_prompts_of_which_seven_have_no_skill(shared: Path, tmp_path: Path) -> None:
    given = shared / "benchmarks" / "genai_bench"
    for name in ("genai_image.json", "genai_skills.json"):
        shutil.copy(given / f"genai1600_{name}", tmp_path / name)
    found = genai_bench(path=tmp_path).prompts
    counts = Counter(skill for prompt in found for skill in prompt.categories)
    assert len(found) == 1600
    assert sum(not prompt.categories for prompt in found) == 7
    assert (counts["basic"], counts["advanced"], counts["attribute"], counts["negation"]) == (722, 871, 553, 347)
    assert found[0].id == "00000"
    assert found[0].categories == ("basic", "attribute", "scene", "spatial relation", "action relation")
    assert str(found[0].columns["prompt_zh"]).startswith("一位面包师")
    assert ASSETS["genai-bench-skills"].sha256 == file_sha256(tmp_path / "genai_skills.json")


@pytest.mark.parametrize(
    ("prompts", "skills", "said"),
    [
        ("[]", "{}", "genai_image.json: GenAI-Bench has an object of prompts by their ids"),
        ('{"00000": 1}', "{}", "genai_image.json:1: '00000': a prompt is an object, got 1"),
        ('{"00000": {"prompt": "a cat"}}', '{"basic": ["0"]}', "'basic': must be a list of numbers of prompts"),
        ("{", "{}", "genai_image.json: not JSON"),
    ],
)
def test_genai_bench_of_another_form_is_one_line(tmp_path: Path, prompts: str, skills: str, said: str) -> None:
    (tmp_path / "genai_image.json").write_text(prompts, "utf-8")
    (tmp_path / "genai_skills.json").write_text(skills, "utf-8")
    with pytest.raises(DataError, match=re.escape(said)):
        genai_bench(path=tmp_path)
