"""What was judged elsewhere: matched, stored where rules look for it, and counted without a judge."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from evaluate_configs import make_config, read, result_of, run
from object_store import Bucket
from tiny_generated import Made, make_generated

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.judges.evidence import ANSWERS, read_evidence
from diptych.judges.imported import ImportedAnswers

CHECKS = {"questions": [{"id": "1", "question": "A cat?"}, {"id": "2", "question": "Black?", "parents": ["1"]}]}
HEADER = "prompt_id,model,question_id,answer\n"
WHOLE = HEADER + "00000,one,1,yes\n00000,one,2,no\n00001,one,1,no\n00001,one,2,yes\n"


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """Two models of two prompts; the first one's picture of the second prompt lies elsewhere, the other has none."""
    made = [
        Made(model, prompt, checks=CHECKS, picture=(0, None)[prompt], benchmark="dsg")
        for model in ("one", "two")
        for prompt in range(2)
    ]
    make_generated(tmp_path / "generated", made, rows_per_shard=3, states={1: "missing"})
    return tmp_path / "generated"


def import_text(generated: Path, text: str | bytes, *more: str, name: str = "answers.csv") -> Result:
    file = generated.parent / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    given = ["evaluate", "import-evidence", str(generated), str(file), "--format", "answers", "--judge", "pali", *more]
    return CliRunner().invoke(main, given)


def imported_text(generated: Path, text: str, *more: str, name: str = "answers.csv") -> dict[str, Any]:
    result = import_text(generated, text, "--json", *more, name=name)
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def scored(generated: Path, facts: dict[str, Any], rule: str = "official") -> list[dict[str, Any]]:
    config = make_config(
        generated.parent, judges=facts["judges"], protocols=[{"protocol": "dsg", "judge": "pali", "by": ["model"]}]
    )
    run(config)
    return read(
        generated.parent,
        "SELECT i.model, i.prompt_id, s.value, s.reason FROM scores s JOIN images i USING (run_id, dataset, key) "
        "WHERE s.score = ? ORDER BY 1, 2",
        (f"dsg_{rule}_pali.question_accuracy",),
    )


def test_a_rule_counts_what_was_imported_with_or_without_a_picture_and_asks_nobody(
    generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = imported_text(generated, WHOLE)
    asked: list[Any] = []
    monkeypatch.setattr(ImportedAnswers, "answers", lambda self, *given: asked.append(given))
    rows = scored(generated, facts)
    assert [row["value"] for row in rows] == [0.5, 0.0, None, None]
    assert [row["reason"] for row in rows] == [None, None, "not_imported", "out_of_memory"], "the row's own goes first"
    assert asked == []


def test_an_image_of_which_the_file_says_nothing_has_its_own_reason_and_is_never_wrong(generated: Path) -> None:
    rows = scored(generated, imported_text(generated, HEADER + "00000,two,1,yes\n00000,two,2,yes\n"))
    assert [row["value"] for row in rows] == [None, None, 1.0, None]
    assert [row["reason"] for row in rows] == ["not_imported", "missing", None, "out_of_memory"]
    whole = result_of(generated.parent, "dsg_official_pali.question_accuracy", model="two")
    assert (whole["value"], whole["n"], whole["n_unscored"]) == (1.0, 1, 1)
    assert "unscored: 1 out_of_memory" in whole["caution"]


def test_a_question_of_a_picture_that_the_file_lacks_is_told_beside_the_number(generated: Path) -> None:
    scored(generated, imported_text(generated, HEADER + "00000,one,1,yes\n"))
    said = "1 of 2 questions without an answer, "
    for rule, are in (("official", "wrong: 1 failed"), ("corrected", "left out: 1 failed")):
        whole = result_of(generated.parent, f"dsg_{rule}_pali.question_accuracy", model="one")
        assert whole["caution"].count(said + are) == 1


def test_what_is_answered_by_nothing_or_by_what_is_no_answer_has_a_state(generated: Path) -> None:
    facts = imported_text(generated, HEADER + "00000,one,1,\n00000,one,2,perhaps\n")
    assert (facts["answered"], facts["unanswered"]) == (0, {"failed": 1, "unparsed": 1})
    evidence = open_dataset(generated).column_sets("evidence")[0]
    said = read_evidence(ANSWERS, evidence.files[0]).records[0]
    assert said is not None
    assert [(one.text, one.state) for one in said] == [("", "failed"), ("perhaps", "unparsed")]


def test_answer_that_a_rule_takes_for_a_choice_is_one(tmp_path: Path) -> None:
    asked = {"questions": [{"id": "1", "question": "Whose flag?", "choices": ["U.S.", "U.K."], "answer": "U.S."}]}
    make_generated(tmp_path / "generated", [Made("one", 0, checks=asked, benchmark="dsg")])
    facts = imported_text(tmp_path / "generated", HEADER + "00000,one,1,u.s.\n")
    assert (facts["answered"], facts["unanswered"]) == (1, {})
    assert [row["value"] for row in scored(tmp_path / "generated", facts, "corrected")] == [1.0]


def test_a_second_import_of_a_file_says_it_is_there_and_another_file_leaves_it_alone(generated: Path) -> None:
    first = imported_text(generated, WHOLE)
    again = imported_text(generated, WHOLE)
    other = imported_text(generated, WHOLE.replace("yes", "no"))
    assert (first["is_new"], again["is_new"], other["is_new"]) == (True, False, True)
    assert first["evidence"] == again["evidence"] != other["evidence"]
    assert len(open_dataset(generated).column_sets("evidence")) == 2


def test_what_fits_nothing_is_counted_with_its_line_and_models_may_be_renamed(generated: Path) -> None:
    text = HEADER + "00000,uno,1,yes\n7,uno,1,yes\n00000,uno,9,yes\n00000,due,1,yes\n00000,uno,1,yes\n"
    facts = imported_text(generated, text, "--model", "uno=one")
    assert facts["misfits"] == {
        "no such image": {
            "records": 1,
            "first_line": 3,
            "says": "prompt_id '7', where the dataset has '00000', '00001'",
        },
        "no such question": {
            "records": 1,
            "first_line": 4,
            "says": "question_id '9', where the image has '1', '2'",
        },
    }
    assert (facts["other_models"], facts["repeated"], facts["answered"]) == ({"due": 1}, 1, 1)
    lines = import_text(generated, text, "--model", "uno=one").output
    assert (
        "left out   1 record: no such image (line 3): prompt_id '7', where the dataset has '00000', '00001'\n" in lines
    )
    assert "left out   1 record: no model 'due' in the dataset" in lines


def test_a_record_that_could_be_of_several_images_is_of_none(generated: Path) -> None:
    result = import_text(generated, "prompt_id,question_id,answer\n00000,1,yes\n")
    assert result.exit_code == 1
    assert "1 record: several images (line 2): prompt_id '00000' are 2" in result.output


def test_json_lines_name_questions_by_their_words(generated: Path) -> None:
    lines = [{"prompt_id": "00000", "model": "one", "question": "Black?", "answer": True, "sure": 0.5}]
    facts = imported_text(generated, "\n".join(map(json.dumps, lines)), name="answers.jsonl")
    assert (facts["images_told"], facts["answered"]) == (1, 1)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", WHOLE + "00000,one,1,no\n", "a.csv:6: answers 'no' to what line 2 answers 'yes'"),
        ("a.csv", "prompt,answer\n0,yes\n", "a.csv:2: an answer has key, file or prompt_id"),
        ("a.csv", HEADER + "00000,one,1\n", "a.csv:2: the row has not the 4 fields"),
        ("a.csv", HEADER + '00000,one,1,"yes\n', "a.csv: after line 1"),
        ("a.csv", HEADER.encode() + b"00000,one,1,\xff\xfe\n", "line 2 has a byte that is no UTF-8: 0xff; save it"),
        ("a.csv", "", "it holds no record"),
        ("a.jsonl", '{"prompt_id": "0", "mod', "a.jsonl:1: not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl:1: not JSON"),
        ("a.csv", WHOLE.replace(",", ";"), "a.csv: its columns are separated by ';', not by ','; save it with commas"),
        ("a.jsonl", '{"prompt_id": "0", "question_id": NaN, "answer": "yes"}', "a.jsonl:1: an answer has"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(generated: Path, name: str, text: str | bytes, said: str) -> None:
    result = import_text(generated, text, name=name)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert open_dataset(generated).column_sets("evidence") == []


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_is_not_there_is_one_line(generated: Path, name: str) -> None:
    file = generated.parent / name
    given = ["evaluate", "import-evidence", str(generated), str(file), "--format", "answers", "--judge", "pali"]
    result = CliRunner().invoke(main, given)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert f"{file}: cannot be read: " in result.output


def test_a_table_with_tabs_is_read_by_its_name(generated: Path) -> None:
    by_commas = imported_text(generated, WHOLE)["images"]
    assert imported_text(generated, WHOLE.replace(",", "\t"), name="answers.tsv")["images"] == by_commas


def test_official_and_corrected_read_the_same_words_in_their_own_ways(tmp_path: Path) -> None:
    """DSG takes yes to the letter, T2I-CoReBench a yes wherever it stands."""
    words = ("yes", "Yes.", "yes, there is", "**yes**", "No: a yes would need two", "no")
    asked = {"questions": [{"id": "1", "question": "A cat?"}]}
    for protocol, official in (("dsg", [1, 0, 0, 0, 0, 0]), ("t2i_corebench", [1, 1, 1, 1, 1, 0])):
        folder = tmp_path / protocol
        made = [Made("one", number, checks=asked, benchmark=protocol) for number in range(len(words))]
        make_generated(folder / "generated", made)
        table = "".join(f'{number:05d},one,1,"{said}"\n' for number, said in enumerate(words))
        facts = imported_text(folder / "generated", HEADER + table)
        run(make_config(folder, judges=facts["judges"], protocols=[{"protocol": protocol, "judge": "pali"}]))
        for rule, values in (("official", official), ("corrected", [1, 1, 1, 1, 0, 0])):
            rows = read(
                folder,
                "SELECT value FROM scores JOIN images USING (run_id, dataset, key) WHERE score = ? ORDER BY prompt_id",
                (f"{protocol}_{rule}_pali.question_accuracy",),
            )
            assert [row["value"] for row in rows] == values


def test_files_and_dataset_may_lie_in_a_store(generated: Path, bucket: Bucket) -> None:
    here = imported_text(generated, WHOLE)
    address = bucket.upload(generated, "generated")
    bucket.put("answers.csv", WHOLE.encode())
    given = ["evaluate", "import-evidence", address, f"{bucket.address}/answers.csv", "--format", "answers"]
    result = CliRunner().invoke(main, [*given, "--judge", "pali", "--json"])
    assert result.exit_code == 0, result.output
    there = json.loads(result.stdout)
    assert there["judges"] == here["judges"]
    assert any(name.startswith("evidence/") for name in bucket.files("generated"))
    absent = CliRunner().invoke(main, [*given[:3], f"{bucket.address}/absent.csv", *given[4:], "--judge", "pali"])
    assert (absent.exit_code, f"{bucket.address}/absent.csv: cannot be read" in absent.output) == (1, True)
