"""PartiPrompts: people's ratings and rewards by category, and no rule that is called official."""

from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call, make_config, read, result_of, run
from tiny_generated import Made, make_generated
from tiny_pick import save_transformers_clip

from diptych.evaluate.protocols import PROTOCOLS, find_protocol


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def counted(folder: Path, protocol: dict[str, str], **changes: Any) -> None:
    """Run a protocol over three prompts of two categories, the last of which has no picture."""
    made = [
        Made("one", number, category=category, picture=picture, benchmark="partiprompts")
        for number, (category, picture) in enumerate((("Animals", 0), ("Vehicles", 1), ("Vehicles", None)))
    ]
    make_generated(folder / "generated", made, kinds={"partiprompts": "partiprompts"})
    run(make_config(folder, protocols=[protocol], **changes))


def test_ratings_of_people_are_a_mean_by_category_and_at_worst(tmp_path: Path) -> None:
    counted(tmp_path, {"protocol": "partiprompts", "judge": "people"}, judges={"people": {"kind": "own_ratings"}})
    name = "partiprompts_mean_people.rating"
    whole = result_of(tmp_path, name, model="one")
    assert (whole["value"], whole["n"], whole["n_unscored"]) == (4.5, 2, 1)
    assert result_of(tmp_path, name, model="one", category="Vehicles")["n"] == 1
    assert result_of(tmp_path, f"{name}_worst", model="one")["value"] == pytest.approx((4.5 + 4.5 + 1) / 3)


def test_reward_without_a_least_value_has_no_number_at_worst(tmp_path: Path) -> None:
    encoders = {
        "pick": {"kind": "transformers_clip", "options": {"weights": str(save_transformers_clip(tmp_path / "c"))}}
    }
    counted(tmp_path, {"protocol": "partiprompts_pick_score", "encoder": "pick"}, encoders=encoders)
    name = "partiprompts_pick_score_mean_pick.pick_score"
    whole = result_of(tmp_path, name, model="one")
    parts = [result_of(tmp_path, name, model="one", category=each)["value"] for each in ("Animals", "Vehicles")]
    assert (whole["value"], whole["n"], whole["n_unscored"]) == (pytest.approx(sum(parts) / 2), 2, 1)
    assert whole["caution"].startswith("unscored: 1 ")
    assert {row["metric"] for row in read(tmp_path, "SELECT metric FROM results")} == {name}


def test_nothing_of_partiprompts_is_called_official_or_published() -> None:
    own = [find_protocol(name) for name in PROTOCOLS if name.startswith("partiprompts")]
    assert len(own) == 3
    assert all(list(one.rules) == ["mean"] and not one.published for one in own)
    assert "official" not in call("evaluate", "protocols", "partiprompts").output
