"""The commands: plan, run and verify from the command line, in text and in JSON."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import draw_dataset

from diptych.cli import main

Models = Callable[[str], str]


@pytest.fixture
def config(models: Models, prompts: Path, tmp_path: Path) -> Path:
    values = {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": str(prompts)}],
        "models": {"sd": {"path_or_id": models("sd")}, "flux": {"path_or_id": models("flux")}},
        "settings": [
            {"sampler": ["euler", "euler_a"], "steps": 2, "size": 64},
            {"models": ["sd"], "sampler": "heun", "steps": 2, "size": 64, "guidance": [0.5, 1]},
        ],
        "samples": 2,
        "batch_size": 4,
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", "generate", *map(str, arguments)])


def test_plan_says_what_it_costs_and_makes_nothing(config: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = invoke("plan", config, "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["prompts"] == {"txt": 3}
    assert facts["models"] == {"sd": 3, "flux": 2}
    assert (facts["images"], facts["images_done"], facts["shards"]) == (30, 0, 1)
    assert facts["nfe"] == 6 * (2 + 2 + 3 + 2 + 2)
    assert facts["nfe_in_all"] == facts["nfe"] + 6 * (2 + 2), "guidance 7.5 of the two of sd"
    (dropped,) = facts["dropped"]
    assert (dropped["setting"], dropped["same_as"]) == ("heun-2-g1-64px", "sd, heun-2-g0.5-64px")
    assert facts["useful_share"] == pytest.approx(30 / (5 * 8), abs=1e-4)
    assert facts["bytes"] == round(30 * 64 * 64 * 1.7)
    text = invoke("plan", config).output
    assert "images    30 in 1 shard; 75 % of all batch rows are images" in text
    assert "denoiser  66 evaluations, 90 with those that guidance and other stages add" in text
    assert "left out  sd, heun-2-g1-64px: the same images as sd, heun-2-g0.5-64px" in text
    assert text.endswith("Nothing was made.\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_run_makes_the_images_once_and_verify_makes_them_again(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = invoke("run", config, "--out", out, "--set", "samples=1")
    assert result.exit_code == 0, result.output
    assert "15 images, 1 shard, " in result.output
    assert "left out  sd, heun-2-g1-64px" in result.output
    again = invoke("run", config, "--out", out, "--set", "samples=1", "--json")
    assert json.loads(again.stdout)["shards_made"] == 0
    assert "Nothing to do" in invoke("run", config, "--out", out, "--set", "samples=1").output
    assert json.loads(invoke("plan", config, "--out", out, "--set", "samples=1", "--json").stdout)["images_done"] == 15
    checked = invoke("verify", out, "--count", 4)
    assert checked.exit_code == 0, checked.output
    assert "identical" in checked.output
    assert json.loads(invoke("verify", out, "--count", 4, "--json").stdout)["identical"] == 4


def test_plan_says_what_is_there_and_run_drops_nothing_unasked(config: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    models = "settings=[{sampler: [euler, euler_a], steps: 2, size: 64}]"
    assert invoke("run", config, "--out", out, "--set", models).exit_code == 0
    more = ["--set", "settings=[{sampler: [euler, heun], steps: 2, size: 64, models: [sd]}]"]
    text = invoke("plan", config, "--out", out, *more).output
    assert "there     6 images already, 6 are new\n" in text
    label = "flux, euler-2-64px: 6; flux, euler_a-2-64px: 6; sd, euler_a-2-64px: 6"
    assert f"pruned    18 are no longer asked for, which run drops with --prune ({label})\n" in text
    growth = json.loads(invoke("plan", config, "--out", out, *more, "--json").stdout)["growth"]
    assert (growth["rendered"], growth["pruned"], growth["shards_rewritten"], growth["shards_added"]) == (6, 18, 1, 1)
    refused = invoke("run", config, "--out", out, *more)
    assert refused.exit_code == 1
    (line,) = refused.output.splitlines()
    assert f"18 images there are no longer asked for ({label}); add --prune to drop them" in line
    found = invoke("plan", config, "--out", other, "--reuse", out, *more).output
    assert "there     6 images already (6 rows of them reused), 6 are new" in found
    made = json.loads(invoke("run", config, "--out", other, "--reuse", out, *more, "--json").stdout)
    assert (made["images"], made["rendered"], made["reused"], made["pruned"]) == (12, 6, 6, 0)
    pruned = invoke("run", config, "--out", out, "--prune", "--reuse", other, *more)
    assert pruned.exit_code == 0, pruned.output
    assert "0 rendered, 6 reused, 18 dropped\n12 images, 2 shards" in pruned.output
    wrong = invoke("run", config, "--out", out, "--retry", "all,broken", *more)
    assert (wrong.exit_code, "--retry: unknown status 'broken'" in wrong.output) == (1, True)
    assert "Nothing to do" in invoke("run", config, "--out", out, "--retry", "all", *more).output


def test_verify_ends_with_1_where_an_image_differs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert invoke("run", config, "--out", out, "--set", "samples=1").exit_code == 0
    from diptych.generate import verify

    render = verify.Renderers.render
    monkeypatch.setattr(verify.Renderers, "render", lambda *a: [255 - one for one in render(*a)])  # type: ignore[operator]
    result = invoke("verify", out, "--count", 3)
    assert result.exit_code == 1
    assert "0 of" in result.output
    assert "largest difference" in result.output
    assert "Error: " in result.output
    assert "3 of 3 images came out otherwise" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none.yaml", "--out", "x"], "none.yaml: no such file"),
        (["plan", "none.yaml"], "none.yaml: no such file"),
        (["verify", "."], "not a finished dataset directory"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert message in line


def test_a_second_run_at_the_same_time_is_refused(config: Path, tmp_path: Path) -> None:
    from diptych.storage.locks import only_one

    with only_one(tmp_path / "out"):
        result = invoke("run", config, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "another diptych works there" in result.output


def test_a_setting_that_is_given_twice_is_named_so(config: Path) -> None:
    text = invoke("plan", config, "--set", "settings=[{sampler: [euler, euler], steps: 2, size: 64}]").output
    assert "left out  sd, euler-2-64px: it is given twice" in text


def test_images_are_not_made_in_the_directory_of_a_curation(config: Path, tmp_path: Path) -> None:
    draw_dataset(tmp_path / "run" / "pool")
    result = invoke("run", config, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "holds pool, which diptych has not written there; give another --out" in result.output
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["pool"]
    result = invoke("run", config, "--out", tmp_path / "run/pool/images")
    assert result.exit_code == 1
    assert f"run/pool/images: lies inside the dataset {tmp_path}/run/pool" in result.output
    assert not (tmp_path / "run/pool/images").exists()
