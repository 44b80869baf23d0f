"""Vectors with all their digits where an encoder says so, and otherwise in half precision, as ever."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from drawn import draw_dataset, picture
from evaluate_configs import call_json
from inception_weights import save_random_weights

from diptych.data.images import decode
from diptych.data.shards import read_shard
from diptych.encoders import make_encoder
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.scores.tables import read_embeddings


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_weights(tmp_path_factory.mktemp("inception") / "weights.pth")


def test_float32_keeps_every_digit_in_a_place_of_its_own(weights: Path, tmp_path: Path) -> None:
    """Three encoders of one run, which share one decode; the rows that failed have no vector in any."""
    dataset = draw_dataset(tmp_path / "set", rows=3, rows_per_shard=2, failed=(1,))
    options = {"weights": str(weights), "layer": "logits", "device": "cpu"}
    specs = {
        "half": ("inception", options),
        "full": ("inception", {**options, "vectors": "float32"}),
        "other": ("projection", {"dim": 3}),
    }
    stored = score_dataset(dataset.path, ScorePlan(specs, {}, tuple(specs))).embeddings
    assert len({each.name for each in stored.values()}) == 3
    encoder = make_encoder(*specs["full"])
    expected = encoder.images([encoder.prepare(decode(picture(row))) for row in (0, 2)])
    found = {name: np.concatenate([read_embeddings(file) for file in each.files]) for name, each in stored.items()}
    np.testing.assert_allclose(found["full"][[0, 2]], expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert (found["half"][[0, 2]] != found["full"][[0, 2]]).any()
    np.testing.assert_array_equal(found["half"][[0, 2]], found["full"][[0, 2]].astype(np.float16).astype(np.float32))
    assert all(np.isnan(each[1]).all() for each in found.values())
    kinds = [read_shard(stored[name].files[0], ["embedding"]).schema.field("embedding").type for name in specs]
    assert [kind.value_type for kind in kinds] == [pa.float16(), pa.float32(), pa.float16()]


def test_identity_says_it_only_where_it_is_not_as_ever(weights: Path) -> None:
    options = {"weights": str(weights), "device": "cpu"}
    half, full = (make_encoder("inception", {**options, "vectors": each}) for each in ("float16", "float32"))
    assert make_encoder("inception", options).identity == half.identity
    assert full.identity == {**half.identity, "vectors": "float32"}


def test_a_folder_has_them_too(weights: Path, tmp_path: Path) -> None:
    for side, first in (("a", 0), ("b", 100)):
        (tmp_path / side).mkdir()
        for seed in range(3):
            (tmp_path / side / f"{seed}.png").write_bytes(picture(first + seed, kind="PNG"))
    values = []
    for kind in ("float16", "float32"):
        options = ("--encoder", str(weights), "--set", f"vectors={kind}", "--set", "device=cpu")
        found = call_json("evaluate", "distance", tmp_path / "a", tmp_path / "b", *options)
        values.append(found["values"]["frechet_distance"]["value"])
    assert values[0] != values[1]
    assert values[0] == pytest.approx(values[1], rel=1e-2)
