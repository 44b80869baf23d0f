"""Names of a user, words and a job, as Midjourney's Discord gives them: the words count where they are a prompt's."""

from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import imported, rows_of

JOB = "0123abcd-0123-4567-89ab-0123456789ab"
LONG = "a very long photo of a red boat on a calm sea at dusk, in the style of an old master"


def write(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / name).write_bytes(picture(number, kind="PNG"))
    return folder


def test_the_words_between_user_and_job_are_those_of_a_prompt_of_the_set(tmp_path: Path) -> None:
    names = [f"joe_a_red_boat_{JOB}_{number}.png" for number in (2, 3)]
    names += [f"joe_{LONG[:60].replace(' ', '_').replace(',', '')}_{JOB}.png", f"joe_x_a_red_boat_{JOB}.png"]
    (tmp_path / "prompts.txt").write_text(f"a red boat!\n{LONG}\n")
    facts = imported(write(tmp_path / "in", names), "--prompts", tmp_path / "prompts.txt", "--out", tmp_path / "out")
    assert (facts["found_by"], facts["tools"]) == ({"letters": 3}, {})
    rows = {row["file"]: (row["caption"], row["sample"]) for row in rows_of(tmp_path / "out") if row["status"] == "ok"}
    assert rows == dict(zip(names[:3], [("a red boat!", 0), ("a red boat!", 1), (LONG, 0)], strict=True))
    assert names[3] in {flaw["file"] for flaw in facts["flaws"]}, "of whose user nobody knows where it ends"


@pytest.mark.parametrize("layout", ["any", "names"])
def test_such_a_name_says_no_prompt_without_a_set(layout: str, tmp_path: Path) -> None:
    names = [f"joe_a_red_boat_{JOB}_2.png", f"session_photo_{JOB}.png"]
    facts = imported(write(tmp_path / "in", names), "--layout", layout, "--out", tmp_path / "out")
    assert (sorted(facts["unprompted"]), facts["tools"]) == (sorted(names), {})
