from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_dataset import make_table, mixed_rows

from diptych import demo
from diptych.assets import file_sha256
from diptych.errors import ConfigError, DataError
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.linear_probe import linear_probe, sigmoid


@dataclass
class NamedEncoder:
    """Knows its length and name; its vectors are handed to the batch."""

    dim: int
    identity: Mapping[str, Any] = field(default_factory=lambda: {"encoder": "named"})


def save(path: Path, weight: list[float], bias: float) -> Path:
    torch.save({"weight": torch.tensor([weight]), "bias": torch.tensor([bias])}, path)
    return path


def test_probability_is_the_sigmoid_of_the_head_on_the_normalised_row(tmp_path: Path) -> None:
    encoder = NamedEncoder(2)
    path = save(tmp_path / "h.pth", [1.0, 2.0], -1.0)
    score = make_score("linear_probe", {"encoder": encoder, "weights": str(path), "column": "flagged"})
    batch = Batch(make_table(mixed_rows()[:4]).to_batches()[0])
    vectors = np.array([[3, 4], [np.nan, np.nan], [30, 40], [0, -7]], np.float32)
    batch.provide_embeddings(encoder, vectors)  # type: ignore[arg-type]
    found = score.score(batch)
    assert list(found) == ["flagged"]
    expected = torch.sigmoid(torch.tensor([1.2, 1.2, -3.0])).numpy()
    np.testing.assert_allclose(found["flagged"][[0, 2, 3]], expected, rtol=1e-6)
    assert np.isnan(found["flagged"][1])
    assert found["flagged"].dtype == np.float32


def test_column_says_its_name_and_range(tmp_path: Path) -> None:
    path = str(save(tmp_path / "h.pth", [1.0, 2.0], 0.0))
    score = linear_probe(encoder=NamedEncoder(2), weights=path, column="flagged")  # type: ignore[arg-type]
    (column,) = score.columns
    assert (column.name, column.low, column.high) == ("flagged", 0.0, 1.0)
    assert score.reads == {"embedding"}


def test_identity_follows_weights_column_and_encoder_and_not_the_path(tmp_path: Path) -> None:
    one, two = save(tmp_path / "a.pth", [1.0, 2.0], 0.0), save(tmp_path / "b.pth", [1.0, 2.5], 0.0)
    moved = tmp_path / "moved.pth"
    moved.write_bytes(one.read_bytes())

    def identity(path: Path, column: str = "flagged", name: str = "x") -> Mapping[str, Any]:
        encoder = NamedEncoder(2, {"encoder": name})
        return make_score("linear_probe", {"encoder": encoder, "weights": str(path), "column": column}).identity

    assert identity(one) == identity(moved)
    assert identity(one)["weights_sha256"] == file_sha256(one)
    assert identity(one) not in (identity(two), identity(one, column="other"), identity(one, name="y"))


@pytest.mark.parametrize("column", ["", "Flagged", "is flagged", "key", "reason", "a" * 42, '"; DROP'])
def test_column_that_is_no_name_is_refused(column: str, tmp_path: Path) -> None:
    path = save(tmp_path / "h.pth", [1.0, 2.0], 0.0)
    with pytest.raises(ConfigError, match="linear_probe: column ") as caught:
        make_score("linear_probe", {"encoder": NamedEncoder(2), "weights": str(path), "column": column})
    assert "\n" not in str(caught.value)


def test_head_for_another_dimension_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "h.pth", [1.0, 2.0], 0.0)
    with pytest.raises(ConfigError, match=r"the head h\.pth takes 2 dimensions and the encoder has 3"):
        make_score("linear_probe", {"encoder": NamedEncoder(3), "weights": str(path)})


def test_file_that_is_no_head_is_one_line_with_its_name(tmp_path: Path) -> None:
    for name, data in (("missing.pth", None), ("empty.pth", b""), ("text.pth", b"hello")):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=name) as caught:
            make_score("linear_probe", {"encoder": NamedEncoder(2), "weights": str(tmp_path / name)})
        assert "\n" not in str(caught.value)


def test_head_that_the_demo_brings_along_is_found_by_its_package() -> None:
    score = make_score(
        "linear_probe", {"encoder": NamedEncoder(128), "weights": "package:diptych.demo/models/heads/flagged.pth"}
    )
    shipped = Path(demo.__file__).parent / "models" / "heads" / "flagged.pth"
    assert score.identity["weights_sha256"] == file_sha256(shipped)


def test_sigmoid_neither_overflows_nor_loses_small_probabilities() -> None:
    values = np.array([-80.0, -1.0, 0.0, 1.0, 80.0, np.nan], np.float32)
    expected = torch.sigmoid(torch.from_numpy(values).double()).numpy()
    np.testing.assert_allclose(sigmoid(values), expected, rtol=1e-5, atol=1e-7)
