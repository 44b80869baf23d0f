"""Numbers of images that count from 0 where the ids of the prompts count from 1, or the reverse."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import import_, imported

TEXTS = ("a red fish", "a blue boat", "a green tree", "two cats")


def draw(folder: Path, numbers: Iterable[int], name: str = "{:05d}_0.png") -> Path:
    folder.mkdir()
    for number in numbers:
        (folder / name.format(number)).write_bytes(picture(number, kind="PNG"))
    return folder


def asked(folder: Path, first: int) -> Path:
    path = folder / "asked.csv"
    path.write_text("id,prompt\n" + "".join(f"{at},{text}\n" for at, text in enumerate(TEXTS, start=first)))
    return path


@pytest.mark.parametrize(
    ("first", "numbers", "said"),
    [
        (1, range(4), "count from 0, such as 00000_0.png, and the ids of the prompts count from 1: all of them would"),
        (1, [*range(4), 999], "would be of a prompt if they were one more; give prompts with the ids that the names"),
        (0, range(1, 5), "count from 1, such as 00001_0.png, and the ids of the prompts count from 0: all of them"),
    ],
)
def test_images_that_all_have_the_number_of_a_neighbour_are_refused(
    first: int, numbers: Iterable[int], said: str, tmp_path: Path
) -> None:
    result = import_(draw(tmp_path / "in", numbers), "--prompts", asked(tmp_path, first), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert not list((tmp_path / "out").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("first", "numbers", "usable"),
    [
        (1, range(1, 5), 4),
        (1, range(5), 4),
        (1, [1, 2, 4], 3),
        (1, [1, 2, 3, 4, 5], 4),
        (0, [0, 1, 2, 3, 4], 4),
        (0, [1, 2, 3, 9], 3),
    ],
)
def test_a_sound_set_with_a_stray_or_a_loss_is_not(
    first: int, numbers: Iterable[int], usable: int, tmp_path: Path
) -> None:
    given = ("--prompts", asked(tmp_path, first), "--out", tmp_path / "out")
    facts = imported(draw(tmp_path / "in", numbers), *given)
    assert (facts["usable"], facts["notes"]) == (usable, [])


def test_a_part_that_may_be_shifted_or_have_a_stray_is_told(tmp_path: Path) -> None:
    given = ("--prompts", asked(tmp_path, 1), "--out", tmp_path / "out")
    facts = imported(draw(tmp_path / "in", range(3), "{}.png"), *given)
    assert (facts["usable"], facts["counts"]["unmatched"]) == (2, 1)
    (note,) = facts["notes"]
    assert note.startswith("the numbers of images count from 0, such as 0.png, and the ids of the prompts count from 1")
    assert note.endswith("or take 0.png out if it is of none")


@pytest.mark.parametrize("told", [False, True])
def test_a_part_of_which_each_number_is_an_id_is_told_unless_the_images_say_their_texts(
    told: bool, tmp_path: Path
) -> None:
    folder = draw(tmp_path / "in", range(1, 4), "{:06d}.png")
    if told:
        rows = (f"{number:06d}.png,{number},{TEXTS[number]}\n" for number in range(1, 4))
        (folder / "metadata.csv").write_text(f"file_name,prompt_id,prompt\n{''.join(rows)}")
    facts = imported(folder, "--prompts", asked(tmp_path, 0), "--out", tmp_path / "out")
    said = " ".join(facts["notes"])
    assert facts["usable"] == 3
    assert ("such as 000001.png, and the ids of the prompts from 0: each is taken" in said) == (not told)
