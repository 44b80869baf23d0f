"""What a dry run of an evaluation refuses: every name that is known before models are there."""

import re
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call, make_config, write_config
from tiny_generated import made_grid, make_generated

ENCODER = {"clip": {"kind": "open_clip", "options": {"architecture": "ViT-L-14", "pretrained": "openai"}}}
SCORES = {
    "text": {"score": "caption_stats"},
    "match": {"score": "clip_similarity", "encoder": "clip"},
    "iqa": {"score": "clip_iqa", "encoder": "clip"},
}


def dry_run(folder: Path, **changes: Any) -> Any:
    make_generated(folder / "generated", made_grid())
    config = make_config(folder, encoders=ENCODER, scores=SCORES, **changes)
    return call("evaluate", "run", write_config(folder, config), "--dry-run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"means": [{"score": "text.caption_wrods"}]},
            "means.0.score: unknown score column 'text.caption_wrods'; did you mean 'text.caption_words'",
        ),
        ({"means": [{"score": "txt.caption_words"}]}, "means.0.score: unknown score column 'txt.caption_words'"),
        (
            {"means": [{"score": "text.caption_words", "by": ["text.modle"]}]},
            "means.0.by: dataset 'generated': unknown column 'text.modle'",
        ),
        (
            {"means": [{"score": "match.clip_similarity"}], "compare": {"by": "model", "baseline": "curatde"}},
            "compare.baseline: unknown model 'curatde'; did you mean 'curated'",
        ),
        (
            {"audit": {"attribute": "text.caption_words", "by": ["model"]}},
            "audit.attribute: 'text.caption_words' holds numbers",
        ),
        (
            {"means": [{"score": "match.clip_simlarity"}]},
            "means.0.score: unknown score column 'match.clip_simlarity'; did you mean 'match.clip_similarity'",
        ),
        (
            {"means": [{"score": "clip"}]},
            "means.0.score: unknown score column 'clip'; did you mean 'match.clip_similarity'",
        ),
        (
            {"means": [{"score": "match.clip_similarity", "by": ["modle"]}]},
            "means.0.by: dataset 'generated': unknown column 'modle'; did you mean 'model'",
        ),
        (
            {"audit": {"attribute": "match.anything", "by": ["model"]}},
            "audit.attribute: unknown score column 'match.an",
        ),
    ],
)
def test_name_that_is_not_there_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    result = dry_run(tmp_path, **changes)
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("reference", [{"orange": False, "purple": 1.0}, {"cook": {"orange": True}}])
def test_true_and_false_are_no_shares(tmp_path: Path, reference: dict[str, Any]) -> None:
    result = dry_run(tmp_path, audit={"attribute": "iqa.clip_iqa_anything", "by": ["model"], "reference": reference})
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "audit.reference: a number is needed, which true and false are not" in result.output


@pytest.mark.parametrize(
    "changes",
    [
        {"means": [{"score": "match.clip_similarity", "by": ["model", "category"]}]},
        {"means": [{"score": "clip_similarity"}]},
        {"means": [{"score": "text.caption_words", "by": ["iqa.clip_iqa_anything"]}]},
        {"audit": {"attribute": "iqa.clip_iqa_anything", "by": ["model"]}},
    ],
)
def test_what_only_a_model_knows_is_left_to_the_run(tmp_path: Path, changes: dict[str, Any]) -> None:
    result = dry_run(tmp_path, **changes)
    assert result.exit_code == 0, result.output
    assert "Nothing was computed, written or downloaded." in result.output


def test_groups_of_a_protocol_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    protocols = [{"protocol": "dsg", "judge": "eye", "by": ["modle"]}]
    make_generated(tmp_path / "generated", made_grid())
    config = make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=protocols)
    result = call("evaluate", "run", write_config(tmp_path, {**config, "scores": {}}), "--dry-run")
    assert (result.exit_code, "protocols.0.by" in result.output) == (1, True)
    assert "did you mean 'model'" in result.output


def test_what_is_wrong_with_a_key_stands_behind_its_line(tmp_path: Path) -> None:
    misspelt = dry_run(tmp_path, means=[{"score": "text.caption_words", "by": ["setings"]}])
    assert re.search(r"config.yaml:\d+:\d+: means.0.by: dataset 'generated': unknown column 'setings'", misspelt.output)
    missing = dry_run(tmp_path, datasets={"generated": {"path": str(tmp_path / "nowhere")}})
    assert re.search(
        r"config.yaml:\d+:\d+: datasets.generated.path: .*there is no such folder; .*generate run", missing.output
    )
