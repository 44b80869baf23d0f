import inspect
import os
import subprocess
import sys
from pathlib import Path

import own_judges
import pytest

from diptych.errors import ConfigError
from diptych.lookup import import_attribute
from diptych.scores import SCORES, takes
from diptych.scores.named import named_plan
from diptych.scores.plan import ScorePlan

ROOT = Path(__file__).resolve().parents[2]


def plan(*names: str, overrides: tuple[str, ...] = (), judge: str = "own_boxes") -> ScorePlan:
    return named_plan(names, overrides, encoder="projection", judge=judge)


def test_scores_get_the_encoder_where_their_factory_takes_one() -> None:
    found = plan("aesthetic", "image_stats", overrides=("encoder.dim=8", "aesthetic.version=v1"))
    assert found.encoders == {"encoder": ("projection", {"dim": 8})}
    assert found.scores["aesthetic"] == ("aesthetic", {"version": "v1", "encoder": "encoder"})
    assert found.scores["image_stats"] == ("image_stats", {})
    assert (plan("image_stats").encoders, plan("image_stats").judges) == ({}, {})


def test_scores_get_the_judge_where_their_factory_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    found = plan("object_accuracy", overrides=("judge.name=eye", "object_accuracy.threshold=0.4"))
    assert found.judges == {"judge": ("own_boxes", {"name": "eye"})}
    assert found.scores == {"object_accuracy": ("object_accuracy", {"threshold": 0.4, "judge": "judge"})}
    assert found.build().scores["object_accuracy"].identity["judge"]["judge"] == "eye"


@pytest.mark.parametrize("name", SCORES)
def test_a_score_takes_what_its_factory_says(name: str) -> None:
    parameters = inspect.signature(import_attribute(SCORES[name])).parameters
    assert {role for role in ("encoder", "judge") if takes(name, role)} == {"encoder", "judge"} & set(parameters)


def test_asking_what_scores_take_loads_no_model_code() -> None:
    script = "import sys; from diptych.scores import SCORES, takes; [takes(name, 'judge') for name in SCORES]"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; print(*sys.modules)"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"torch", "open_clip", "transformers", "lingua"} == set()


def test_own_file_has_the_label_of_its_factory(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def redness(*, encoder, power: int = 1):\n    return None\n", encoding="utf-8")
    name = f"{tmp_path}/mine.py:redness"
    found = plan(name, overrides=("redness.power=2",))
    assert found.scores == {"redness": (name, {"power": 2, "encoder": "encoder"})}


def test_a_score_may_have_any_label_and_two_of_one_name_stand_beside_each_other(tmp_path: Path) -> None:
    found = plan("b.32=clip_similarity", "clip_similarity", overrides=("encoder.dim=8",))
    assert found.scores == dict.fromkeys(("b.32", "clip_similarity"), ("clip_similarity", {"encoder": "encoder"}))
    (tmp_path / "k=v").mkdir()
    (tmp_path / "k=v" / "mine.py").write_text("def redness():\n    return None\n", encoding="utf-8")
    name = f"{tmp_path}/k=v/mine.py:redness"
    assert plan(name).scores == {"redness": (name, {})}
    assert plan(f"red={name}", overrides=("red.power=2",)).scores == {"red": (name, {"power": 2})}


@pytest.mark.parametrize(
    ("names", "overrides", "message"),
    [
        (("caption_stat",), (), "unknown score 'caption_stat'; did you mean 'caption_stats'"),
        (("mine.py",), (), "'mine.py': name the factory in the file too: path/to/file.py:factory"),
        (("a.py:nsfw", "nsfw"), (), "'nsfw': the label 'nsfw' is taken; write it as LABEL=NAME with another one"),
        (("a.py:encoder",), (), "the label 'encoder' is taken"),
        (("data=hashes",), (), "the label 'data' is taken"),
        (("a=hashes", "A=hashes"), (), "the labels 'a' and 'A' are one to SQL"),
        (("a=hash",), (), "unknown score 'hash'"),
        (
            ("hashes",),
            ("encodr.dim=3",),
            "--set 'encodr.dim=3': write it as LABEL.key=value; LABEL is one of encoder, ",
        ),
        (("hashes",), ("hashes.variants",), "write it as LABEL.key=value"),
        (("hashes",), ("hashes.variants=[",), "the value is not valid YAML"),
        (("object_accuracy",), (), "unknown judge 'centre_pint'; did you mean 'centre_point'"),
    ],
)
def test_what_cannot_be_planned_says_why(names: tuple[str, ...], overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(*names, overrides=overrides, judge="centre_pint")
    assert message in str(caught.value)


def test_an_option_of_the_wrong_type_is_named() -> None:
    with pytest.raises(ConfigError, match="encoder 'projection': option 'dim'"):
        plan("clip_similarity", overrides=("encoder.dim=many",)).build()
    with pytest.raises(ConfigError, match="score 'language': unknown option"):
        plan("language", overrides=("language.model=x",)).build()
