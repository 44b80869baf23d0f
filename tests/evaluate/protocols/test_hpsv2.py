"""HPSv2's benchmark: two versions that never share a name, styles, and the spread of the means of 80 prompts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from evaluate_configs import call, make_config, result_of, run
from tiny_clip import save_clip
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.blocks import spread_note
from diptych.generate.prompts.hpsv2 import STYLES, hpsv2


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    clip = save_clip(folder / "clip")
    options = {"architecture": str(clip), "preprocess": {"resize_mode": "longest"}}
    protocols = [{"protocol": name, "encoder": "tuned"} for name in ("hpsv2", "hpsv2_1")]
    encoders = {"tuned": {"kind": "open_clip", "options": options}}
    return make_config(folder, **{"encoders": encoders, "protocols": protocols, **changes})


def generated(folder: Path) -> None:
    made = [
        Made("one", number, category=STYLES[number % 2], picture=None if number == 5 else number, benchmark="hpsv2")
        for number in range(6)
    ]
    make_generated(folder / "generated", made, kinds={"hpsv2": "hpsv2"})


def test_two_versions_are_two_names_and_styles_stand_beside_the_whole(tmp_path: Path) -> None:
    generated(tmp_path)
    run(config(tmp_path))
    for name, column in (("hpsv2", "hps_v2"), ("hpsv2_1", "hps_v2_1")):
        metric = f"{name}_official_tuned.{column}"
        whole = result_of(tmp_path, metric, model="one")
        parts = [result_of(tmp_path, metric, model="one", category=style) for style in STYLES[:2]]
        assert [part["n"] for part in (whole, *parts)] == [5, 3, 2]
        assert whole["value"] == pytest.approx((3 * parts[0]["value"] + 2 * parts[1]["value"]) / 5)
        assert "6 of 3,200 prompts" in whole["caution"]


class Rows:
    """The ids of prompts of a dataset, and nothing else."""

    def __init__(self, *ids: str) -> None:
        self.ids = pa.array(ids)

    def has(self, name: str) -> bool:
        return name == "prompt_id"

    def values(self, name: str) -> pa.Array:
        return self.ids


def spread(ids: str, values: Sequence[float], block: int = 2) -> str:
    rows: Any = Rows(*ids)
    return spread_note(rows, np.arange(len(ids)), np.array(values, float), block)


def test_spread_is_of_the_means_of_blocks_in_the_order_of_ids() -> None:
    assert spread("dabc", [9.0, 1.0, 2.0, 5.0]) == "standard deviation of the 2 means of 2 prompts 2.7500"
    assert spread("aabcd", [0.0, 2.0, 2.0, 5.0, 9.0]) == "standard deviation of the 2 means of 2 prompts 2.7500"


@pytest.mark.parametrize(
    ("ids", "values"),
    [("abc", [1, 2, 3]), ("ab", [1, 2]), ("abcd", [1, 2, 3, np.nan]), ("", [])],
    ids=["a block that is not full", "one block", "an image without a score", "nothing"],
)
def test_spread_of_what_is_not_whole_is_not_told(ids: str, values: list[float]) -> None:
    assert spread(ids, values) == ""


def test_spread_stands_beside_the_styles_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(find_protocol("hpsv2").rules["official"].__dict__, "block", 2)
    made = [Made("one", number, category="anime", picture=number, benchmark="hpsv2") for number in range(4)]
    make_generated(tmp_path / "generated", made, kinds={"hpsv2": "hpsv2"})
    run(config(tmp_path, protocols=[{"protocol": "hpsv2", "encoder": "tuned"}]))
    name = "hpsv2_official_tuned.hps_v2"
    style, whole = (result_of(tmp_path, name, model="one", **part)["note"] for part in ({"category": "anime"}, {}))
    assert "standard deviation of the 2 means of 2 prompts " in style
    assert "standard deviation" not in whole


def test_prompts_are_four_lists_of_texts_of_which_some_stand_there_twice(tmp_path: Path) -> None:
    for style in STYLES:
        (tmp_path / f"{style}.json").write_text(json.dumps([f"a {style}", "a cat", "a cat"]), "utf-8")
    found = hpsv2(path=tmp_path)
    assert len(found.prompts) == 12
    assert [(one.id, one.text, one.categories) for one in found.prompts[3:5]] == [
        ("concept-art/00000", "a concept-art", ("concept-art",)),
        ("concept-art/00001", "a cat", ("concept-art",)),
    ]
    for text, said in (("{}", "are a list of texts"), ("[1]", "are a list of texts"), ("[", "not JSON")):
        (tmp_path / "photo.json").write_text(text, "utf-8")
        with pytest.raises(DataError, match=said):
            hpsv2(path=tmp_path)


def test_published_numbers_are_of_their_version() -> None:
    told = call("evaluate", "protocols", "hpsv2_1").output
    assert "judge      an encoder, gives embeddings" in told
    assert "published  30.630 for SDXL base 0.9 by HPS v2.1, official" in told
    assert "27.73" not in told
