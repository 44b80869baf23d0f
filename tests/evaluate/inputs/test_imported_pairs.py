"""Two models that were imported apart are compared over the prompts that both were asked, by id and text."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from drawn import picture
from evaluate_configs import read, run
from made_elsewhere import imported

PROMPTS = [f"a boat, number {number}" for number in range(4)]
OTHERS = [f"a castle, number {number}" for number in range(4)]


def write_table(folder: Path, prompts: Sequence[str]) -> Path:
    folder.mkdir(parents=True)
    rows = []
    for number, prompt in enumerate(prompts):
        (folder / f"{number}.png").write_bytes(picture(len(folder.name) * 10 + number, kind="PNG"))
        rows.append({"file_name": f"{number}.png", "prompt": prompt, "prompt_id": str(number), "sample": 0})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize(
    ("prompts", "n"),
    [
        (PROMPTS, 4),
        ([f" {text.replace(' ', '  ')}" for text in PROMPTS], 4),
        (OTHERS, 0),
        ([*PROMPTS[:2], *OTHERS[2:]], 2),
    ],
)
def test_tables_of_two_models_are_compared_where_id_and_text_are_equal(
    prompts: Sequence[str], n: int, tmp_path: Path
) -> None:
    for model, texts in (("sdxl", PROMPTS), ("flux", prompts)):
        imported(write_table(tmp_path / model, texts), "--model", model, "--out", tmp_path / f"runs/{model}")
    run(
        {
            "job": "evaluate",
            "store": str(tmp_path / "store.duckdb"),
            "datasets": {model: {"path": str(tmp_path / f"runs/{model}")} for model in ("sdxl", "flux")},
            "scores": {"s": {"score": "image_stats"}},
            "means": [{"score": "s.sharpness", "by": ["model"]}],
            "compare": {"by": "model"},
        }
    )
    (row,) = read(tmp_path, "SELECT n, reason FROM differences")
    assert (row["n"], row["reason"] == "no_common_images") == (n, n == 0)
