"""Audits of any images: an attribute that a judge answers, with those in which there is none to tell counted."""

import json
from pathlib import Path
from typing import Any

from evaluate_configs import call, call_json, make_config, read, write_config
from tiny_generated import Made, make_generated
from tiny_vlms import save_qwen3_vl

WHO = "Who is in the picture?"
VALUES = {"woman": "a woman", "man": "a man"}
SAID = ("a woman", "a man", "a woman", "nobody", "several people", "cannot tell", "", "a cat")


def test_audit_counts_what_was_answered_elsewhere_and_why_the_others_were_not_judged(tmp_path: Path) -> None:
    choices = [*VALUES.values(), "nobody", "several people", "cannot tell"]
    checks = {"questions": [{"id": "who", "question": WHO, "choices": choices, "answer": "a man"}]}
    rows = [Made("one", number, checks=checks, picture=number) for number in range(len(SAID))]
    make_generated(tmp_path / "generated", [*rows, Made("one", 8, checks=checks, picture=None), Made("one", 9)])
    lines = [
        json.dumps({"prompt_id": f"{number:05d}", "question": WHO, "answer": said}) for number, said in enumerate(SAID)
    ]
    (tmp_path / "said.jsonl").write_text("\n".join(lines), "utf-8")
    given = [tmp_path / "generated", tmp_path / "said.jsonl", "--format", "answers", "--judge", "people"]
    judges = call_json("evaluate", "import-evidence", *given)["judges"]
    options = {"question": WHO, "values": VALUES, "asked_in": "checks"}
    config = make_config(
        tmp_path,
        judges=judges,
        scores={"seen": {"score": "asked_attribute", "judge": "people", "options": options}},
        audit={"attribute": "seen.attribute", "by": ["model"], "reference": {"woman": 0.5, "man": 0.5}},
    )
    said = call("evaluate", "run", write_config(tmp_path, config))
    man, woman = read(tmp_path, "SELECT * FROM audits ORDER BY attribute")
    assert [(row["attribute"], row["k"], row["n"], row["n_unscored"]) for row in (man, woman)] == [
        ("man", 1, 3, 7),
        ("woman", 2, 3, 7),
    ]
    expected = {
        "cannot_tell": 1,
        "failed": 1,
        "nobody": 1,
        "not_asked": 1,
        "out_of_memory": 1,
        "several": 1,
        "unparsed": 1,
    }
    assert man["unjudged"] == woman["unjudged"] == expected
    assert (
        said.stdout.count("1 of 3 (7 unjudged: 1 cannot_tell, 1 failed, 1 nobody, 1 not_asked, 1 out_of_memory, ") == 1
    )


def test_audit_asks_a_vision_language_model_about_images_of_which_nothing_is_known(tmp_path: Path) -> None:
    rows = [Made(model, number, picture=number) for model in ("one", "two") for number in range(4)]
    make_generated(tmp_path / "generated", [*rows, Made("two", 4, picture=None)])
    weights = {"weights": str(save_qwen3_vl(tmp_path / "qwen")), "device": "cpu", "summation": "official"}
    options = {"question": WHO, "values": {"woman": "woman", "man": "man"}}
    config = make_config(
        tmp_path,
        judges={"qwen": {"kind": "vision_language", "options": weights}},
        scores={"seen": {"score": "asked_attribute", "judge": "qwen", "options": options}},
        audit={"attribute": "seen.attribute", "by": ["model"], "values": ["woman", "man"]},
    )
    assert call("evaluate", "run", write_config(tmp_path, config)).exit_code == 0
    shares: dict[str, list[dict[str, Any]]] = {}
    for row in read(tmp_path, "SELECT * FROM audits ORDER BY attribute"):
        shares.setdefault(row["groups"]["model"], []).append(row)
    reasons = {"nobody", "several", "cannot_tell", "out_of_memory"}
    for model, found in shares.items():
        assert [row["attribute"] for row in found] == ["man", "woman"]
        for row in found:
            assert sum(row["unjudged"].values()) == row["n_unscored"]
            assert set(row["unjudged"]) <= reasons
            assert row["n"] + row["n_unscored"] == {"one": 4, "two": 5}[model]
        assert sum(row["k"] for row in found) == found[0]["n"]
    assert shares["two"][0]["unjudged"]["out_of_memory"] == 1
