"""How far apart the two pictures of each pair are: what a run stores of it, and what is said of two models."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
import yaml
from drawn import picture
from evaluate_configs import call, call_json, make_config, read, result_of, run, write_config
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated
from tiny_lpips import save_alexnet, torchmetrics_lpips

from diptych.data.dataset import open_dataset
from diptych.data.images import decode
from diptych.encoders import make_encoder
from diptych.errors import ConfigError
from diptych.evaluate.comparisons.pair_distances import PairSpace
from diptych.evaluate.comparisons.stores import compare_labels
from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.scores.tables import read_embeddings
from diptych.storage.location import Location

METRIC = "pair_distance"
PAIR = {"side": "raw", "other_side": "curated"}


def config_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a config that holds the pictures of ``folder/generated`` against each other in a small space."""
    encoders = {"p": {"kind": "projection", "options": {"dim": 6}}}
    return make_config(folder, encoders=encoders, compare={"encoders": ["p"], **changes})


def measured(folder: Path, rows: Sequence[Made], **changes: Any) -> dict[str, Any]:
    """Return how far the pictures of two models are apart."""
    make_generated(folder / "generated", rows)
    run(config_of(folder, **changes))
    (row,) = [row for row in read(folder, "SELECT * FROM results") if len(row["groups"]) == 2]
    return row


def expected(folder: Path, rows: Sequence[Made]) -> dict[tuple[int, int], float]:
    """Return the squared distance of each prompt and sample of two models, from the vectors that the run stored."""
    dataset = open_dataset(Location.at(folder / "generated"))
    files = sorted((folder / "generated" / "embeddings").rglob("*.parquet"))
    vectors = np.concatenate([read_embeddings(Location.at(file)) for file in files]).astype(np.float64)
    assert len(vectors) == dataset.rows == len(rows)
    by_unit: dict[tuple[int, int], list[Any]] = {}
    for row, vector in zip(rows, vectors, strict=True):
        by_unit.setdefault((row.prompt, row.sample), []).append(vector)
    return {unit: float(((first - last) ** 2).sum()) for unit, (first, last) in by_unit.items()}


def test_it_is_the_mean_over_pairs_with_an_interval_clustered_by_prompt(tmp_path: Path) -> None:
    rows = made_grid(prompts=6, samples=3)
    found, by_unit = measured(tmp_path, rows, baseline="curated"), expected(tmp_path, rows)
    mean = clustered_mean(np.array([*by_unit.values()]), [prompt for prompt, _ in by_unit])
    assert (found["metric"], found["groups"], found["n"], found["n_unscored"]) == (METRIC, PAIR, 18, 0)
    assert found["value"] == pytest.approx(np.mean([*by_unit.values()]))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((mean.ci_low, mean.ci_high))
    assert (found["better"], found["reason"], found["caution"]) == (None, None, None)
    assert found["note"] == "mean over pairs; interval clustered by 6 prompts (Student)"
    (identity,) = read(tmp_path, "SELECT identity FROM identities WHERE identity_id = ?", (found["identity_id"],))
    assert identity["identity"]["encoder"]["encoder"] == "projection"
    counting = result_of(tmp_path, METRIC, **PAIR, category="counting")
    assert counting["n"] == 9
    own = [value for (prompt, _), value in by_unit.items() if prompt % 2]
    assert counting["value"] == pytest.approx(np.mean(own))


def test_equal_files_are_exactly_0_apart(tmp_path: Path) -> None:
    rows = made_grid(models=("curated",), prompts=4)
    found = measured(tmp_path, [*rows, *(dataclasses.replace(row, model="raw") for row in rows)])
    assert (found["value"], found["n"], found["ci_low"], found["se"]) == (0.0, 8, None, None)
    assert found["note"].startswith("no interval: nothing varies among 4 prompts")


@dataclasses.dataclass(frozen=True)
class Seen:
    """Rows of which the vectors and the files are told."""

    seen: Sequence[Sequence[float]]
    files: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.files)

    def vectors(self, encoder: str) -> Any:
        return np.array(self.seen, np.float32)

    def values(self, name: str) -> Any:
        return pa.array(self.files, pa.string())


def test_equal_files_are_0_apart_whatever_the_last_bit_of_a_vector_says() -> None:
    nothing = [np.nan, np.nan]
    first = Seen([[1.0, 2.0], [4.0, 6.0], nothing, nothing], ["aa", "bb", None, "cc"])
    last = Seen([[1.0, 2.001], [1.0, 2.0], nothing, [0.0, 0.0]], ["aa", "dd", None, "cc"])
    space: Any = PairSpace([first, last], "p")  # type: ignore[list-item]
    found = space.distances(np.arange(4), np.arange(4, 8))
    np.testing.assert_array_equal(found, [0.0, 25.0, np.nan, np.nan])


@pytest.mark.reference
def test_over_lpips_it_is_the_lpips_of_torchmetrics(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    weights = save_alexnet(tmp_path / "alexnet.pth")
    rows = made_grid(prompts=3, samples=1)
    make_generated(tmp_path / "generated", rows)
    options = {"weights": str(weights), "side": 32, "device": "cpu"}
    config = make_config(tmp_path, encoders={"alex": {"kind": "lpips", "options": options}})
    run({**config, "compare": {"baseline": "raw", "encoders": ["alex"]}})
    encoder, network = make_encoder("lpips", options), torchmetrics_lpips(weights)
    prepared = {row.key: encoder.prepare(decode(picture(row.picture or 0, kind="PNG"))) for row in rows}
    stored = {row["key"]: row["value"] for row in read(tmp_path, "SELECT * FROM scores")}
    theirs = {}
    for row, other in zip(rows[:3], rows[3:], strict=True):
        with torch.inference_mode():
            pair = [torch.from_numpy(prepared[each.key][None]) for each in (row, other)]
            theirs[row.key] = network(*pair).item()
        assert stored[row.key] == pytest.approx(theirs[row.key], rel=2e-3)
        assert (stored[other.key], theirs[row.key] > 1e-3) == (0.0, True)
    found = result_of(tmp_path, "lpips_pair_distance", side="curated", other_side="raw")
    assert found["value"] == pytest.approx(np.mean([*theirs.values()]), rel=2e-3)


def test_pairs_without_both_pictures_do_not_count_and_images_without_a_partner_are_said(tmp_path: Path) -> None:
    rows = made_grid(prompts=5, samples=2)
    failed = [dataclasses.replace(row, picture=None) if number == 3 else row for number, row in enumerate(rows)]
    lone = failed.pop()  # the last of raw
    found = measured(tmp_path, failed, baseline="curated")
    assert (found["n"], found["n_unscored"]) == (8, 1)
    assert found["caution"] == "over the images that both have, 1 of curated left out"
    reasons = {row["key"]: row["reason"] for row in read(tmp_path, "SELECT * FROM scores WHERE value IS NULL")}
    partner = next(row for row in rows if (row.model, row.prompt, row.sample) == ("curated", lone.prompt, lone.sample))
    missing = [row for row in failed if (row.prompt, row.sample) == (1, 1)]
    assert reasons.pop(partner.key) == "unpaired"
    assert reasons == {row.key: "no_picture_of_both" for row in missing}


def test_models_without_a_picture_of_one_prompt_have_a_reason(tmp_path: Path) -> None:
    rows = made_grid(prompts=3, samples=1)
    apart = [dataclasses.replace(row, prompt=row.prompt + 50 * (row.model == "raw")) for row in rows]
    found = measured(tmp_path, apart)
    assert (found["value"], found["n"], found["reason"]) == (None, 0, "no_common_images")
    said = call("evaluate", "compare", tmp_path / "store.duckdb", "raw", "curated").stdout
    assert said == "pair_distance: the pictures of raw and curated cannot be compared: no_common_images\n"


def test_it_does_not_depend_on_which_is_held_against_which(tmp_path: Path) -> None:
    found = []
    for baseline in ("curated", "raw"):
        (tmp_path / baseline).mkdir()
        found.append(measured(tmp_path / baseline, made_grid(prompts=5)[:-1], baseline=baseline))
    left, right = found
    assert {*left["groups"].values()} == {*right["groups"].values()}
    own = ("value", "ci_low", "ci_high", "n", "caution")
    assert [left[name] for name in own] == [right[name] for name in own]
    store = tmp_path / "raw" / "store.duckdb"
    lines = [call("evaluate", "compare", store, *labels).stdout for labels in (("raw", "curated"), ("curated", "raw"))]
    assert lines[0].replace("raw and curated", "curated and raw") == lines[1]
    assert lines[0].startswith("pair_distance: the pictures of raw and curated are ")
    assert lines[0].endswith("over the images that both have, 1 of curated left out).\n")


def test_several_pictures_of_one_unit_count_by_the_mean_of_their_distances(tmp_path: Path) -> None:
    one, other, again = (Made(model, 0, picture=seed) for model, seed in (("raw", 1), ("curated", 2), ("curated", 3)))
    value = {}
    for name, rows in {"both": [one, other, again], "first": [one, other], "second": [one, again]}.items():
        (tmp_path / name).mkdir()
        value[name] = measured(tmp_path / name, rows)["value"]
    assert value["both"] == pytest.approx((value["first"] + value["second"]) / 2)


def test_two_datasets_are_held_against_each_other(tmp_path: Path) -> None:
    rows = made_grid(prompts=4)
    whole = measured(tmp_path, rows, baseline="curated")
    config = config_of(tmp_path, baseline="curated")
    for model in ("curated", "raw"):
        make_generated(tmp_path / model, [row for row in rows if row.model == model])
    config["datasets"] = {model: {"path": str(tmp_path / model)} for model in ("curated", "raw")}
    run(config)
    apart = result_of(tmp_path, METRIC, **PAIR)
    own = ("value", "ci_low", "ci_high", "n")
    assert [apart[name] for name in own] == pytest.approx([whole[name] for name in own])
    assert apart["dataset"] == "curated+raw"


def test_settings_are_held_against_each_other_within_a_model(tmp_path: Path) -> None:
    rows = made_grid(models=("raw",), prompts=3, settings=("ddim", "euler"))
    found = measured(tmp_path, rows, by="setting", baseline="euler")
    assert (found["groups"], found["n"]) == ({"side": "ddim", "other_side": "euler"}, 6)
    said = call_json("evaluate", "compare", tmp_path / "store.duckdb", "ddim", "euler", "--by", "setting")
    assert [row["value"] for row in said["pair_distances"]] == [found["value"]]


def test_each_image_has_its_distance_where_all_are_held_against_one(tmp_path: Path) -> None:
    rows = made_grid(models=("curated", "int8", "raw"), prompts=3, samples=1)
    make_generated(tmp_path / "generated", rows)
    run(config_of(tmp_path))
    assert read(tmp_path, "SELECT * FROM scores") == []
    run(config_of(tmp_path, baseline="raw"))
    stored = {row["key"]: row["value"] for row in read(tmp_path, "SELECT * FROM scores")}
    for model in ("curated", "int8"):
        own = [stored[row.key] for row in rows if row.model == model]
        assert result_of(tmp_path, METRIC, side=model, other_side="raw")["value"] == pytest.approx(np.mean(own))
    assert {stored[row.key] for row in rows if row.model == "raw"} == {0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run of pair distances, a kernel distance and its store."""
    folder = tmp_path_factory.mktemp("pairs")
    make_generated(folder / "generated", made_grid(prompts=5))
    make_dataset(folder / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(10)])
    config = config_of(folder, baseline="curated")
    config["datasets"]["real"] = {"path": str(folder / "real"), "role": "reference"}
    run({**config, "distances": [{"metric": "kernel_distance", "encoder": "p", "reference": "real"}]})
    return folder


def test_the_command_tells_it_beside_the_differences_or_alone(folder: Path) -> None:
    store = folder / "store.duckdb"
    both = call("evaluate", "compare", store, "raw", "curated").stdout.splitlines()
    assert [line.partition(":")[0] for line in both] == ["kernel_distance", METRIC]
    alone = call("evaluate", "compare", store, "raw", "curated", "--metric", METRIC).stdout.splitlines()
    assert alone == both[1:]
    assert [row.metric for row in compare_labels(store, "raw", "curated", metric="kid").rows] == ["kernel_distance"]
    assert compare_labels(store, "raw", "curated", metric="kid").apart == []
    assert "raw, curated" in call("evaluate", "results", store).stdout


def test_a_report_leads_to_the_pairs_furthest_apart_and_takes_it_for_no_number_of_a_model(folder: Path) -> None:
    config = {"job": "report", "store": str(folder / "store.duckdb"), "title": "Pairs"}
    (folder / "report.yaml").write_text(yaml.safe_dump(config), "utf-8")
    built = call("report", "build", folder / "report.yaml", "--out", folder / "report")
    assert built.exit_code == 0, built.output
    pages = {name: (folder / "report" / f"{name}.html").read_text("utf-8") for name in ("index", "scores")}
    assert "Pair distance" in pages["scores"]
    assert "Pair distance" not in pages["index"]
    # the number over all pairs; there is no page of those of a category
    assert pages["scores"].count("compare.html#s=p.pair_distance&amp;o=more&amp;a=curated&amp;b=raw") == 1


def test_pictures_of_the_web_beside_generated_ones_take_no_part(folder: Path, tmp_path: Path) -> None:
    config = {**config_of(folder, baseline="curated"), "store": str(tmp_path / "store.duckdb")}
    make_dataset(tmp_path / "web", [Row(picture(seed), f"web {seed}") for seed in range(3)])
    config["datasets"]["web"] = {"path": str(tmp_path / "web"), "role": "pairs"}
    run(config)
    assert result_of(tmp_path, METRIC, **PAIR)["value"] == result_of(folder, METRIC, **PAIR)["value"]
    assert not (tmp_path / "web" / "embeddings").exists()
    with pytest.raises(ConfigError, match=r"compare\.encoders: no dataset has both 'model' and 'prompt_id'"):
        run({**config, "datasets": {"web": config["datasets"]["web"]}})


def test_what_is_not_there_is_said_before_the_run(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"compare\.baseline: unknown model 'flux'"):
        run(config_of(folder, baseline="flux"))
    with pytest.raises(ConfigError, match="are the same images"):
        compare_labels(folder / "store.duckdb", "raw", "raw")


def test_a_dry_run_says_by_which_encoders_pictures_are_compared(folder: Path) -> None:
    said = call("evaluate", "run", write_config(folder, config_of(folder)), "--dry-run").stdout
    assert "compare    model, pictures by p\n" in said
