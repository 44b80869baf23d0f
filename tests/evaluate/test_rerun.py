"""What a rerun of an evaluation is: the same run, whose numbers say themselves how they were made."""

from pathlib import Path

import pytest
from drawn import picture
from evaluate_configs import make_config, read, run
from tiny_dataset import Row, make_dataset
from tiny_generated import made_grid, make_generated

from diptych.evaluate.metrics import kernel_distance


def test_a_metric_that_is_computed_in_another_way_since_is_the_same_run_with_numbers_of_another_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is what was asked of which images; how each number was made is the number's own identity."""
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=1))
    make_dataset(tmp_path / "real", [Row(picture(1000 + number), f"real {number}") for number in range(20)])
    config = make_config(
        tmp_path,
        encoders={"p": {"kind": "projection", "options": {"dim": 6}}},
        distances=[{"metric": name, "encoder": "p", "reference": "real"} for name in ("kid", "precision_recall")],
    )
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}

    def identities() -> dict[str, str]:
        return {row["metric"]: row["identity_id"] for row in read(tmp_path, "SELECT metric, identity_id FROM results")}

    first, before = run(config).run_id, identities()
    monkeypatch.setattr(kernel_distance, "VERSION", 99)
    assert run(config).run_id == first
    after = identities()
    assert {name for name in before if before[name] != after[name]} == {"kernel_distance"}
    assert [row["run_id"] for row in read(tmp_path, "SELECT run_id FROM runs")] == [first]
    known = {row["identity_id"] for row in read(tmp_path, "SELECT identity_id FROM identities")}
    assert known == {*after.values()}, "nothing of the store was made in the old way"
