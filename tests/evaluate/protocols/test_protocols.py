"""Protocols from config to store: names, notes, categories, differences, and what is asked of whom."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call, call_json, make_config, read, result_of, run, write_config
from own_judges import FOUND, SEEN, box
from pydantic import ValidationError
from tiny_generated import Made, make_generated

from diptych.asset_table import ASSETS
from diptych.config.load import load
from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.protocols import PROTOCOLS, find_protocol, text_errors
from diptych.evaluate.protocols.choices import ProtocolChoice
from diptych.evaluate.protocols.contract import QuestionPool, TextErrors, WeightedImages
from diptych.evaluate.protocols.means import counted_rules
from diptych.generate.prompts import PROMPT_SETS
from diptych.lookup import import_attribute
from diptych.ready_configs import ready_configs
from diptych.scores import make_score
from diptych.scores.question_accuracy import OUTCOMES


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def asked(*answers: str) -> dict[str, Any]:
    """Return questions of which each hangs on the one before; the judge says yes to all."""
    return {
        "questions": [
            {"question": f"question {number}?", "answer": answer, "parents": [str(number - 1)] if number > 1 else []}
            for number, answer in enumerate(answers, start=1)
        ]
    }


def rows(models: Sequence[str] = ("one", "two"), benchmark: str = "dsg") -> list[Made]:
    """Return four prompts of two categories; the first model has all its pictures, the second lacks one."""
    checks = (asked("yes", "yes"), asked("no", "yes"), asked("yes", "no"), asked("yes"))
    return [
        Made(
            model,
            prompt,
            category=("count", "pose")[prompt % 2],
            checks=what,
            picture=None if (number, prompt) == (1, 3) else prompt,
            benchmark=benchmark,
        )
        for number, model in enumerate(models)
        for prompt, what in enumerate(checks)
    ]


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    judges = {"eye": {"kind": "own_answers"}}
    return make_config(folder, judges=judges, protocols=[{"protocol": "dsg", "judge": "eye"}], **changes)


def columns_of(ability: str, score: str, options: Mapping[str, Any]) -> list[str]:
    """Return the columns of a score by a judge or an encoder of some ability."""
    facts = {"judge": "able", "preprocess": {"resize_mode": "longest"}}
    numbers = {"least_score": 0.0, "scale": (1.0, 5.0), "logit_scale": 100.0}
    judge = type("Able", (), {"identity": facts, ability: lambda self: None, "labels": (), **numbers})()
    role = "encoder" if ability == "embeddings" else "judge"
    return [column.name for column in make_score(score, {role: judge, **options}).columns]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_whole(name: str) -> None:
    protocol = find_protocol(name)
    assert protocol.name == name
    assert list(PROTOCOLS) == sorted(PROTOCOLS)
    assert protocol.prompts in PROMPT_SETS
    path = inspect.signature(import_attribute(PROMPT_SETS[protocol.prompts])).parameters.get("path")
    assert (path is None) is protocol.is_own
    is_needed = path is not None and path.default is inspect.Parameter.empty
    assert protocol.is_own or protocol.assets or is_needed, "what is not downloaded needs a path"
    assert set(protocol.assets) <= set(ASSETS)
    assert next(iter(protocol.rules)) == ("mean" if name.startswith(("drawn", "partiprompts")) else "official")
    for rule in protocol.rules.values():
        for part in rule.beside.values():
            assert part.column in columns_of(part.ability, part.score, part.options)
        columns = columns_of(protocol.ability, rule.score, rule.options)
        pooled = (rule.pool.column, rule.pool.weight) if isinstance(rule.pool, WeightedImages) else ()
        pooled = text_errors.COLUMNS if isinstance(rule.pool, TextErrors) else pooled
        questions = (OUTCOMES,) if isinstance(rule.pool, QuestionPool) else ()
        assert {*pooled, *questions, rule.column, rule.worst} <= {*columns, None}
        assert rule.column or rule.pool


def test_number_carries_protocol_rule_and_judge_in_its_name(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    run(config(tmp_path))
    found = result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one")
    assert (found["value"], found["n"]) == (pytest.approx((1 + 0 + 0.5 + 1) / 4), 4)
    names = {row["metric"] for row in read(tmp_path, "SELECT DISTINCT metric FROM results")}
    means = {f"dsg_{rule}_eye.question_accuracy{end}" for rule in ("official", "corrected") for end in ("", "_worst")}
    assert names == {*means, "dsg_corrected_eye.questions_right", "dsg_corrected_eye.questions_right_worst"}
    (identity,) = read(tmp_path, "SELECT identity FROM identities WHERE identity_id = ?", (found["identity_id"],))
    assert identity["identity"]["protocol"] == {"name": "dsg", "rule": "official", "version": 2}


def test_categories_stand_beside_the_whole_and_what_is_unscored_is_counted(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    run(config(tmp_path))
    name = "dsg_corrected_eye.question_accuracy"
    assert result_of(tmp_path, name, model="one", category="pose")["value"] == pytest.approx(0.5)
    lacking = result_of(tmp_path, name, model="two", category="pose")
    assert (lacking["value"], lacking["n"], lacking["n_unscored"]) == (0.0, 1, 1)


def test_number_of_fewer_prompts_or_of_another_file_says_so(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    run(config(tmp_path))
    whole = result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one")
    assert whole["caution"] == ("the prompts of 'dsg' are not upstream's; 4 of 1,060 prompts")
    part = result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one", category="pose")
    assert part["caution"] is None


def test_prompts_of_which_nobody_tells_where_they_are_from_are_not_called_foreign(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows())
    run(config(tmp_path))
    whole = result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one")
    unknown = "not known whether the prompts of 'dsg' are upstream's, an import with --prompts dsg tells"
    assert whole["caution"] == f"{unknown}; 4 of 1,060 prompts"


def test_images_of_other_prompts_are_not_counted(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", [*rows(), *rows(benchmark="mine")], kinds={"dsg": "dsg", "mine": "jsonl"})
    run(config(tmp_path))
    assert result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one")["n"] == 4
    make_generated(tmp_path / "others" / "generated", rows(benchmark="mine"), kinds={"mine": "jsonl"})
    run(config(tmp_path / "others"))
    nothing = result_of(tmp_path / "others", "dsg_official_eye.question_accuracy", model="one")
    assert (nothing["value"], nothing["n"], nothing["reason"]) == (None, 0, "nothing_asked")


def test_models_of_a_store_are_compared_over_the_images_that_the_run_counted(tmp_path: Path) -> None:
    """Neither images of other prompts are among them, nor the second of a place, which would make its pair unscored."""
    second = [replace(row, picture=None) for row in rows() if row.prompt == 1]
    every = [*rows(), *rows(("one",), "mine"), *second]
    states = dict.fromkeys(range(len(every) - len(second), len(every)), "extra")
    kinds = {"dsg": "dsg", "mine": "jsonl"}
    make_generated(tmp_path / "generated", [*every, *rows(("two",), "mine")], kinds=kinds, states=states)
    run(config(tmp_path, compare={"by": "model"}))
    metric = "dsg_official_eye.question_accuracy"
    (stored,) = read(tmp_path, "SELECT * FROM differences WHERE metric = ? AND groups = '{}'", (metric,))
    found = call_json("evaluate", "compare", tmp_path / "store.duckdb", "one", "two", "--metric", metric)
    (row,) = found["differences"]
    assert (row["value"], row["n"], row["n_clusters"]) == (stored["value"], 3, 3)
    assert row["caution"] == "1 pair left out, as a side of it is unscored; 3 of 1,060 prompts"


def test_set_of_prompts_is_known_by_its_kind_and_not_by_its_label(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(benchmark="lite"), kinds={"lite": "dsg"})
    run(config(tmp_path))
    assert result_of(tmp_path, "dsg_official_eye.question_accuracy", model="one")["n"] == 4


def test_models_are_compared_image_by_image(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    run(config(tmp_path, compare={"by": "model"}))
    (found,) = [
        row
        for row in read(tmp_path, "SELECT * FROM differences WHERE metric = 'dsg_official_eye.question_accuracy'")
        if not row["groups"]
    ]
    assert (found["a"], found["b"], found["value"], found["n"]) == ("one", "two", 0.0, 3)


def test_another_rule_asks_nobody(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    official = {"protocol": "dsg", "judge": "eye", "rules": ["official"]}
    run({**config(tmp_path), "protocols": [official]})
    pictures = sum(SEEN)
    assert pictures == 7
    run(config(tmp_path))
    assert sum(SEEN) == pictures


def test_geneval_is_the_mean_over_its_categories_by_any_judge_of_boxes(tmp_path: Path) -> None:
    fish = {"include": [{"class": "fish", "count": 1}]}
    categories = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
    every = [
        Made("one", number, category=name, checks=fish, picture=number, benchmark="geneval")
        for number, name in enumerate([*categories, "counting", "counting"])
    ]
    make_generated(tmp_path / "generated", every, kinds={"geneval": "geneval"})
    FOUND.update({height: [box("fish", 0.8)] for height in range(1, 200)})
    judges = {"eye": {"kind": "own_boxes"}}
    run(make_config(tmp_path, judges=judges, protocols=[{"protocol": "geneval", "judge": "eye"}]))
    whole = result_of(tmp_path, "geneval_official_eye.object_accuracy", model="one")
    assert (whole["value"], whole["n"]) == (1.0, 8)
    counting = result_of(tmp_path, "geneval_official_eye.object_accuracy", model="one", category="counting")
    assert counting["n"] == 3
    FOUND.clear()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocols": [{"protocol": "dgs", "judge": "eye"}]}, "unknown protocol 'dgs'; did you mean 'dsg'"),
        (
            {"protocols": [{"protocol": "dsg", "judge": "eyes"}]},
            "protocols.0.judge: unknown judge 'eyes'; did you mean 'eye'",
        ),
        ({"protocols": [{"protocol": "dsg", "judge": "eye", "rules": ["offical"]}]}, "unknown rule of dsg 'offical'"),
        (
            {"scores": {"dsg_official_eye": {"score": "image_stats"}}},
            "scores.dsg_official_eye: the label is the name of a number of protocols",
        ),
        (
            {"scores": {"DSG_official_eye": {"score": "image_stats"}}},
            "scores.DSG_official_eye: the label is the name of a number of protocols",
        ),
        ({"protocols": [{"protocol": "dsg", "judge": "eye", "by": ["modle"]}]}, "protocols.0.by"),
        ({"protocols": [{"protocol": "geneval", "judge": "eye"}]}, "judge 'own_answers' gives no boxes"),
        ({"protocols": [{"protocol": "dsg"}]}, "protocols.0.judge: dsg takes the label of one that gives answers"),
        (
            {"protocols": [{"protocol": "hpsv2", "judge": "eye", "encoder": "eye"}]},
            "protocols.0.judge: hpsv2 takes no judge but encoder",
        ),
        (
            {"protocols": [{"protocol": "hpsv2", "encoder": "eye"}]},
            "protocols.0.encoder: unknown encoder 'eye'",
        ),
    ],
)
def test_protocol_that_cannot_be_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    result = call("evaluate", "run", write_config(tmp_path, {**config(tmp_path), **changes}))
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.strip().count("\n") == 0


def by(protocol: str, judge: str, **beside: str) -> dict[str, Any]:
    return {"protocol": protocol, "judge": judge, **({"beside": beside} if beside else {})}


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            by("bizgeneval", "j"),
            by("bizgeneval", "easy_j"),
            "the label 'bizgeneval_official_easy_j' of its rule 'official' is that of the rule 'official_easy' of "
            "protocols.0; rename the judge 'easy_j'",
        ),
        (
            by("tiif_text_short", "recall_x"),
            by("tiif_text_short", "x"),
            "the label 'tiif_text_short_official_recall_x' of its rule 'official_recall' is that of the rule 'official'"
            " of protocols.0; rename the judge 'x'",
        ),
        (
            by("t2i_compbench_complex", "a_b", boxes="c", embeddings="e"),
            by("t2i_compbench_complex", "a", boxes="b_c", embeddings="e"),
            "of protocols.0; rename the judge 'a' or 'b_c' or 'e'",
        ),
        (
            by("t2i_compbench_complex", "a", boxes="c", embeddings="e"),
            by("t2i_compbench_complex", "a", boxes="c", embeddings="e_places"),
            "the label 't2i_compbench_complex_official_a_c_e_places' of its rule 'official' is that",
        ),
        (by("dsg", "j"), by("dsg", "J"), "the label 'dsg_official_J' of its rule 'official' is that"),
    ],
)
def test_two_numbers_never_share_a_label(first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    judges = ("j", "easy_j", "x", "recall_x", "a", "a_b", "c", "b_c", "J")
    whole = make_config(Path(), judges={name: {"kind": "own_answers"} for name in judges})
    whole["encoders"] = {name: {"kind": "inception"} for name in ("e", "e_places")}
    for pair in ([first, second], [second, first]):
        with pytest.raises(ValidationError, match=r"protocols\.1: the label '\S+' of its rule"):
            EvaluateConfig.model_validate({**whole, "protocols": pair})
    with pytest.raises(ValidationError) as refused:
        EvaluateConfig.model_validate({**whole, "protocols": [first, second]})
    assert said in str(refused.value)


def test_protocol_stands_twice_for_other_groups_by_the_same_judge(tmp_path: Path) -> None:
    twice = [{**by("dsg", "eye"), "by": [column]} for column in ("model", "category")]
    assert list(EvaluateConfig.model_validate({**config(tmp_path), "protocols": twice}).every_score) == [
        "dsg_official_eye",
        "dsg_corrected_eye",
    ]


def test_estimate_names_protocols(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(), kinds={"dsg": "dsg"})
    result = call("evaluate", "run", write_config(tmp_path, config(tmp_path)), "--dry-run")
    assert "protocols  dsg by eye" in result.output


def test_protocols_tell_what_they_count() -> None:
    assert [one["name"] for one in call_json("evaluate", "protocols")] == list(PROTOCOLS)
    lines = call("evaluate", "protocols", "dsg").output.splitlines()
    assert lines[0].startswith("dsg: DSG-1k")
    assert any(line.startswith("published  0.805 for SD 2.1 by PaLI 17B") for line in lines)
    assert call_json("evaluate", "protocols", "geneval")["n_prompts"] == 553
    assert "unknown protocol 'gen'" in call("evaluate", "protocols", "gen").output


def test_config_of_protocols_round_trips(tmp_path: Path) -> None:
    loaded = EvaluateConfig.model_validate(config(tmp_path))
    assert EvaluateConfig.model_validate(loaded.model_dump(mode="json")) == loaded
    assert list(loaded.every_score) == ["dsg_official_eye", "dsg_corrected_eye"]
    with pytest.raises(ConfigError, match="unknown protocol"):
        find_protocol("x")
    assert ProtocolChoice(protocol="dsg", judge="eye", rules=("corrected",)).counted == ("corrected",)


def test_ready_configs_of_numbers_that_are_probabilities_leave_none_out() -> None:
    said = set()
    for ready in (one for one in ready_configs().values() if one.group == "evaluate"):
        config = load(ready.path, EvaluateConfig)
        for choice in config.protocols:
            scores = {rule.score for rule in find_protocol(choice.protocol).rules.values()}
            judge = config.judges.get(choice.judge or "")
            if scores & {"soft_accuracy", "vqa_score"} and judge is not None and judge.kind == "vision_language":
                said.add((choice.protocol, judge.options.get("summation")))
    assert said == {("genai_bench", "official"), ("geneval2", "official")}


@pytest.mark.parametrize("protocol", ["genai_bench", "geneval2", "dsg"])
def test_two_ways_to_add_up_probabilities_never_share_a_name(protocol: str) -> None:
    usual = "official" if find_protocol(protocol).summation else "distinct"
    for said in ("official", "distinct", None):
        options = {"weights": "Qwen/Qwen3-VL-8B-Instruct", **({"summation": said} if said else {})}
        config = EvaluateConfig.model_validate(
            {
                "job": "evaluate",
                "store": "s.duckdb",
                "datasets": {"i": {"path": "i"}},
                "judges": {"q": {"kind": "vision_language", "options": options}},
                "protocols": [{"protocol": protocol, "judge": "q", "rules": ["official"]}],
            }
        )
        counting = said or "distinct"
        named = f"{protocol}_official_q" if counting == usual else f"{protocol}_official_q_{counting}"
        assert list(config.every_score) == [named]
        assert [rule.label for rule in counted_rules(config.protocols)][:1] == [named]
        assert EvaluateConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize("protocol", ["dpg", "dsg"])
def test_a_protocol_over_prompts_of_another_set_says_so(tmp_path: Path, protocol: str) -> None:
    make_generated(tmp_path / "generated", rows(benchmark="mine"), kinds={"mine": "tifa"})
    chosen = [{"protocol": protocol, "judge": "eye"}]
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=chosen))
    found = read(tmp_path, f"SELECT DISTINCT value, reason, caution FROM results WHERE metric LIKE '{protocol}%'")
    said = f"none of the prompts of generated is of the set {protocol}: they are of mine"
    assert found
    assert all((row["reason"], row["caution"].partition("; ")[0]) == ("nothing_asked", said) for row in found)


def test_one_call_is_one_call() -> None:
    lines = call("evaluate", "protocols", "show", "geneval").output
    assert "cost       1 call of the judge an image, 2,212 for 2,212 images" in lines
