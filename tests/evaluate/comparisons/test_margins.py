"""Margins of a config: which metrics they may name is known, and looked up, before anything is scored."""

from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, run, write_config
from own_judges import OwnAnswers
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated
from told_scores import Told, install

from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.run import EvaluateRunner

PROJECTIONS = {label: {"kind": "projection", "options": {"dim": dim}} for label, dim in (("p", 4), ("q", 5))}


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    own_judges.install(monkeypatch)


def several(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a config with differences of means, of a protocol and its pool, and of distances by two encoders."""
    checks = {"questions": [{"question": "A hat?", "answer": "yes", "tags": ["entity whole"]}]}
    rows = [
        Made(model, prompt, seed, caption=f"number={prompt + seed}.0", checks=checks, benchmark="dsg")
        for model in ("one", "two")
        for prompt in range(4)
        for seed in range(2)
    ]
    make_generated(folder / "generated", rows, kinds={"dsg": "dsg"})
    make_dataset(folder / "real", [Row(picture(900 + number), f"real {number}") for number in range(8)])
    config = make_config(
        folder,
        encoders=PROJECTIONS,
        judges={"eye": {"kind": "own_answers"}},
        scores={"n": {"score": "told_number"}, "m": {"score": "clip_similarity", "encoder": "p"}},
        means=[{"score": "number"}, {"score": "m.clip_similarity"}],
        protocols=[{"protocol": "dsg", "judge": "eye", "rules": ["corrected"]}],
        distances=[{"metric": "kernel_distance", "encoder": label, "reference": "real"} for label in PROJECTIONS],
        compare={},
    )
    config["datasets"]["real"] = {"path": str(folder / "real"), "role": "reference"}
    return {**config, **changes}


NAMES = (
    "n.number",
    "m.clip_score",
    "dsg_corrected_eye.question_accuracy",
    "dsg_corrected_eye.questions_right",
    "p.kernel_distance",
    "q.kernel_distance",
)


def test_every_metric_that_has_differences_can_have_a_margin(tmp_path: Path) -> None:
    run(several(tmp_path, compare={"margins": dict.fromkeys(NAMES, 7.0)}))
    found = read(tmp_path, "SELECT DISTINCT metric, margin FROM differences")
    assert {row["metric"]: row["margin"] for row in found} == dict.fromkeys(NAMES, 7.0)
    short = ("number", "clip_score", "questions_right")
    run(several(tmp_path, compare={"margins": dict.fromkeys(short, 3.0)}))
    found = read(tmp_path, "SELECT DISTINCT metric FROM differences WHERE margin = 3.0")
    assert {row["metric"].rpartition(".")[2] for row in found} == {*short}


@pytest.mark.parametrize(
    ("margins", "says"),
    [
        ({"numbr": 1.0}, "compare.margins.numbr: unknown metric 'numbr'; did you mean 'n.number'?"),
        ({"number": 1.0, "n.numbr": 1.0}, "compare.margins.n.numbr: unknown metric 'n.numbr'; did you mean 'n.number'"),
        (
            {"kernel_distance": 1.0},
            "compare.margins.kernel_distance: metric 'kernel_distance': 2 labels have it; write",
        ),
        ({"m.clip_similarity": 1.0}, "unknown metric 'm.clip_similarity'; did you mean 'm.clip_score'"),
        ({"number": 1.0, "n.number": 2.0}, "compare.margins.n.number: n.number has two margins, 1 and 2; give one"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_a_margin_of_no_metric_is_refused_with_its_place_before_anything_is_scored(
    margins: dict[str, float], says: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(*_: object) -> object:
        raise AssertionError("it was scored")

    monkeypatch.setattr(Told, "score", scored)
    monkeypatch.setattr(OwnAnswers, "answers", scored)
    path = write_config(tmp_path, several(tmp_path, compare={"margins": margins}))
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next(at for at, text in enumerate(lines, 1) if text.strip().startswith(f"{[*margins][-1]}: "))
    refused = call("evaluate", "run", path, *arguments)
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: {path}:{line}:5: compare.margins.")
    assert says in refused.output
    assert len(refused.output.splitlines()) == 1


def test_a_margin_is_looked_up_also_where_nothing_can_be_compared(tmp_path: Path) -> None:
    """Groups that are not by the compared column have no differences, so that no margin is of one."""
    changes = {"means": [], "protocols": [], "judges": {}}
    for by, margin in (([], "kernel_distance"), (["model"], "kernel_distanc")):
        distances = [{"metric": "kernel_distance", "encoder": "p", "reference": "real", "by": by}]
        config = several(tmp_path, **changes, distances=distances, compare={"margins": {margin: 1.0}})
        with pytest.raises(ConfigError, match=rf"compare\.margins\.{margin}: unknown metric '{margin}'"):
            run(config)


def test_a_margin_of_a_distance_that_is_named_after_its_weights_passes_a_dry_run_alone(tmp_path: Path) -> None:
    """Before the encoder is there nobody knows whether its Fréchet distance is FID; a run does."""
    distances = [{"metric": "frechet_distance", "encoder": "p", "reference": "real"}]
    config = several(tmp_path, distances=distances, compare={"margins": {"clean_fid": 0.1}})
    assert call("evaluate", "run", write_config(tmp_path, config), "--dry-run").exit_code == 0
    with pytest.raises(ConfigError, match=r"unknown metric 'clean_fid'.* Known: .*frechet_distance"):
        run(config)
    config["compare"] = {"margins": {"frechet_distance": 0.1}}
    named = EvaluateRunner(EvaluateConfig.model_validate(config)).named
    assert named.compare is not None
    assert named.compare.margins == {"frechet_distance": 0.1}


def test_a_dry_run_takes_the_short_name_of_a_mean_that_only_a_model_can_tell(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid())
    clip = {"kind": "open_clip", "options": {"architecture": "ViT-L-14", "pretrained": "openai"}}
    scores = {"match": {"score": "clip_similarity", "encoder": "clip"}}

    def dry(**margins: float) -> Any:
        config = make_config(
            tmp_path,
            encoders={"clip": clip},
            scores=scores,
            means=[{"score": "clip_similarity"}],
            compare={"margins": margins},
        )
        return call("evaluate", "run", write_config(tmp_path, config), "--dry-run")

    assert dry(clip_score=0.5).exit_code == 0
    assert dry(**{"match.clip_score": 0.5}).exit_code == 0
    assert "unknown metric 'clp'" in dry(clp=0.5).output


def test_the_command_refuses_a_margin_where_pictures_alone_are_compared(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(models=("one", "two"), prompts=4, samples=1))
    run(make_config(tmp_path, encoders={"p": PROJECTIONS["p"]}, compare={"encoders": ["p"]}))
    arguments = ("evaluate", "compare", tmp_path / "store.duckdb", "one", "two")
    assert call(*arguments).exit_code == 0
    refused = call(*arguments, "--margin", "nonsense=1")
    assert refused.exit_code == 1
    assert "--margin: unknown metric 'nonsense'; there is none" in refused.output
