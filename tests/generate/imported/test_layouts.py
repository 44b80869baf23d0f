"""Layouts: each is known for what it is, and says of each image whose it is."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from image_bytes import pixels
from made_elsewhere import grid_of, import_, imported, rows_of

from diptych.generate.imported.found_images import ImportLayout
from diptych.generate.imported.layouts import LAYOUTS
from diptych.lookup import import_attribute


def write(folder: Path, files: Mapping[str, bytes | str | None]) -> Path:
    """Write files; None is a picture of its own."""
    for number, (name, data) in enumerate(files.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        found = picture(number, kind="PNG") if data is None else data
        (folder / name).write_bytes(found.encode() if isinstance(found, str) else found)
    return folder


def said(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def usable(path: Path) -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in rows_of(path) if row["status"] == "ok"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_table_entry_is_a_layout(name: str) -> None:
    assert isinstance(import_attribute(LAYOUTS[name]), ImportLayout)


def test_the_last_layout_takes_any_folder() -> None:
    assert list(LAYOUTS)[-1] == "any"


METADATA = [
    {"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"},
    {
        "tag": "counting",
        "include": [{"class": "pizza", "count": 3}],
        "exclude": [{"class": "pizza", "count": 4}],
        "prompt": "a photo of three pizzas",
    },
]


def draw_geneval(folder: Path) -> Path:
    files: dict[str, bytes | str | None] = {}
    for number, value in enumerate(METADATA):
        files[f"{number:05d}/metadata.jsonl"] = json.dumps(value) + "\n"
        files[f"{number:05d}/grid.png"] = None
        files |= {f"{number:05d}/samples/{sample:05d}.png": None for sample in range(4)}
    return write(folder, files)


def test_geneval_folders_bring_prompt_tag_and_what_is_to_be_seen(tmp_path: Path) -> None:
    facts = imported(draw_geneval(tmp_path / "in"), "--model", "sd", "--out", tmp_path / "out")
    assert facts["why"] == "2 folders with a number for a name have their images in samples/"
    assert (facts["layout"], facts["flaws"], facts["usable"]) == ("geneval", [], 8)
    row = usable(tmp_path / "out")["00001/samples/00003.png"]
    assert said(row, "benchmark", "prompt_id", "sample", "category", "model") == (
        *("geneval", "00001", 3),
        *(["counting"], "sd"),
    )
    assert row["caption"] == "a photo of three pizzas"
    assert json.loads(row["checks"])["exclude"] == [{"class": "pizza", "count": 4}]


def test_rewritten_prompts_of_geneval_are_none_of_its_own(tmp_path: Path) -> None:
    folder = draw_geneval(tmp_path / "in")
    prompts = tmp_path / "metadata.jsonl"
    other = {**METADATA[0], "prompt": "a weathered bench in a park, seen from the left"}
    prompts.write_text(f"{json.dumps(other)}\n{json.dumps(METADATA[1])}\n")
    given = ("--prompts", "geneval", "--set", f"prompts.path={prompts}", "--out", tmp_path / "out")
    counts = imported(folder, *given)["counts"]
    assert {kind: many for kind, many in counts.items() if many} == {"missing": 4, "unmatched": 4}


def test_a_geneval_folder_with_flaws_reports_exactly_these(tmp_path: Path) -> None:
    folder = draw_geneval(tmp_path / "in")
    (folder / "00000/samples/00002.png").rename(folder / "00000/samples/third.png")
    (folder / "00001/samples/00001.png").unlink()
    (folder / "00001/samples/0003.png").write_bytes(picture(77, kind="PNG"))
    prompts = write(tmp_path, {"metadata.jsonl": "\n".join(map(json.dumps, METADATA))}) / "metadata.jsonl"
    given = ("--prompts", "geneval", "--set", f"prompts.path={prompts}", "--set", "samples=4")
    flaws = imported(folder, *given, "--out", tmp_path / "out")["flaws"]
    assert [(flaw["kind"], flaw["file"], flaw["prompt_id"], flaw["sample"]) for flaw in flaws] == [
        ("missing", None, "00001", 1),
        ("misnamed", "00000/samples/third.png", "00000", 2),
        ("extra", "00001/samples/0003.png", "00001", 3),
    ]


def test_compbench_has_the_prompt_in_the_name_whatever_the_digits_count(tmp_path: Path) -> None:
    names = [
        f"sd2/color_val/samples/a {word} book and a cup_{number:06d}.png" for number, word in enumerate(["red"] * 2)
    ]
    names += [
        "sd2/color_val/samples/a blue book, open_000007.png",
        "sd2/color_val/samples/a blue book, open_000012.png",
    ]
    facts = imported(write(tmp_path / "in", dict.fromkeys(names)), "--out", tmp_path / "out")
    assert (facts["layout"], facts["flaws"]) == ("compbench", [])
    found = usable(tmp_path / "out")
    assert said(found[names[3]], "caption", "sample", "category", "model") == (
        *("a blue book, open", 1),
        *(["color"], "sd2"),
    )
    assert found[names[3]]["prompt_id"] == found[names[2]]["prompt_id"] != found[names[0]]["prompt_id"]


COMPBENCH_PROMPTS = (
    "a round bagel and a square toaster",
    "a round bagel and a square toaster.",
    "a sign: 1/2 off, or_what",
    "a long " + "and winding " * 20 + "road",
)


def test_compbench_names_with_underscores_are_of_the_prompts_that_they_can_be(tmp_path: Path) -> None:
    (tmp_path / "shape_val.txt").write_text("\n".join(COMPBENCH_PROMPTS) + "\n")
    names = [
        "a_round_bagel_and_a_square_toaster_000000.png",
        "a_round_bagel_and_a_square_toaster._000001.png",
        "a sign_ 1_2 off, or_what_000002.png",
        f"{COMPBENCH_PROMPTS[3].replace(' ', '_')[:200]}_000003.png",
        "a_square_toaster_000004.png",
    ]
    folder = write(tmp_path / "in", dict.fromkeys(names))
    kind, path = "t2i_compbench_shape", f"prompts.path={tmp_path}"
    facts = imported(folder, "--prompts", kind, "--set", path, "--out", tmp_path / "out")
    assert (facts["layout"], facts["found_by"]) == ("compbench", {"letters": 4})
    assert [(flaw["kind"], flaw["file"]) for flaw in facts["flaws"]] == [("unmatched", names[4])]
    found = usable(tmp_path / "out")
    assert [(found[name]["caption"], found[name]["sample"]) for name in names[:4]] == [
        (prompt, 0) for prompt in COMPBENCH_PROMPTS
    ]
    imported(folder, "--layout", "compbench", "--out", tmp_path / "alone")
    assert usable(tmp_path / "alone")[names[0]]["caption"] == COMPBENCH_PROMPTS[0]


def test_numbers_that_count_over_all_prompts_are_no_samples(tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("a red boat\na fish\na clock\n")
    words = ["a_red_boat", "a_fish", "a_clock"]
    names = [f"{word}_{2 * place + number}.png" for place, word in enumerate(words) for number in range(2)]
    folder = write(tmp_path / "in", dict.fromkeys(names))
    facts = imported(folder, "--prompts", tmp_path / "asked.txt", "--out", tmp_path / "out")
    assert facts["flaws"] == []
    assert [row["sample"] for row in usable(tmp_path / "out").values()] == [0, 1] * 3


def test_dpg_grids_are_cut_into_exactly_their_pictures_and_kept(tmp_path: Path) -> None:
    grids = {f"partiprompts{number}.png": grid_of(range(4 * number, 4 * number + 4)) for number in range(3)}
    broken = {"stanford7.png": picture(50, (47, 32), kind="PNG"), "vrd3.png": b"GIF89a"}
    folder = write(tmp_path / "in", {**grids, **broken})
    facts = imported(folder, "--out", tmp_path / "out", "--set", "rows_per_shard=3")
    assert (facts["layout"], facts["rows"], facts["usable"]) == ("dpg", 20, 12)
    assert facts["counts"]["unreadable"] == 8
    rows = [row for row in rows_of(tmp_path / "out") if row["status"] == "ok"]
    for row in rows:
        number = int(row["prompt_id"].removeprefix("partiprompts"))
        assert (pixels(row["image"]["bytes"]) == pixels(picture(4 * number + row["tile"], kind="PNG"))).all()
        assert (row["sample"], row["width"], row["height"]) == (row["tile"], 48, 32)
        kept = (tmp_path / "out/grids" / f"{row['grid_sha256']}.png").read_bytes()
        assert kept == grids[row["file"]]
        assert hashlib.sha256(kept).hexdigest() == row["grid_sha256"]
    bad = {row["file"]: (row["status"], row["error"]) for row in rows_of(tmp_path / "out") if row["status"] != "ok"}
    assert bad["stanford7.png"] == ("bad_grid", "47x32 pixels are no 2 by 2 pictures of one size")
    assert imported(folder, "--out", tmp_path / "out", "--set", "rows_per_shard=3")["shards_made"] == 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_tiles_that_are_blank_or_all_the_same_are_told(kind: str, tmp_path: Path) -> None:
    size = (200, 200)  # no whole number of the blocks of a compressed file
    grids = {
        "vrd1": grid_of([1, 1, 1, 1], size, kind=kind),
        "vrd2": grid_of([2, 3, 4, None], size, kind=kind),
        "vrd3": grid_of([5, 6, 7, 8], size, kind=kind),
    }
    folder = write(tmp_path / "in", {f"{name}.{kind.lower()}": data for name, data in grids.items()})
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["usable"]) == ("dpg", 12)
    found = [(flaw["kind"], flaw["prompt_id"], flaw["sample"]) for flaw in facts["flaws"]]
    assert found == [("blank", "vrd2", 3), *(("duplicate", "vrd1", sample) for sample in (1, 2, 3))]
    assert f"  vrd1.{kind.lower()}, tile 1: the same" in import_(folder, "--out", tmp_path / "out").output


def test_a_strip_of_four_square_pictures_is_cut_into_these(tmp_path: Path) -> None:
    size = (32, 32)
    across, down = grid_of(range(4), size, across=4), grid_of(range(4, 8), size, across=1)
    folder = write(tmp_path / "in", {"vrd1.png": across, "vrd2.png": down})
    imported(folder, "--out", tmp_path / "out")
    for number, row in enumerate(rows_of(tmp_path / "out")):
        assert (pixels(row["image"]["bytes"]) == pixels(picture(number, size, kind="PNG"))).all()


def test_the_same_picture_under_two_prompts_is_told_with_both(tmp_path: Path) -> None:
    one, other = picture(1, kind="PNG"), grid_of([1, 2, 3, 4])
    folder = write(tmp_path / "in", {"a cat_0.png": one, "a dog_0.png": one})
    flaws = imported(folder, "--layout", "names", "--out", tmp_path / "out")["flaws"]
    cat = rows_of(tmp_path / "out")[0]["prompt_id"]
    assert [flaw["what"] for flaw in flaws] == [f"the same bytes as a cat_0.png, of the prompt {cat!r}"]
    grids = write(tmp_path / "grids", {"vrd1.png": other, "vrd2.png": grid_of([5, 6, 2, 7])})
    (flaw,) = imported(grids, "--out", tmp_path / "tiles")["flaws"]
    assert (flaw["sample"], flaw["what"]) == (2, "the same bytes as tile 1 of vrd1.png, of the prompt 'vrd1'")


DPG_COLUMNS = (
    "item_id,text,keywords,proposition_id,dependency,category_broad,category_detailed,tuple,question_natural_language"
)


def test_grids_called_by_numbers_alone_are_cut_where_prompts_of_dpg_are_asked_for(tmp_path: Path) -> None:
    asks = "1,0,entity,whole,entity - whole (cat),Is there a cat?"
    lines = [DPG_COLUMNS, *(f"{number},cat {number},,{asks}" for number in range(2))]
    (tmp_path / "dpg.csv").write_text("\n".join(lines))
    folder = write(tmp_path / "in", {f"sdxl/{number}.png": grid_of(range(4)) for number in range(2)})
    asked = ("--prompts", "dpg", "--set", f"prompts.path={tmp_path / 'dpg.csv'}", "--out", tmp_path / "out")
    facts = imported(folder, *asked)
    assert (facts["layout"], facts["rows"], facts["usable"]) == ("dpg", 8, 8)
    assert "of single images --layout names" in facts["why"]
    single = imported(folder, *asked[:-1], tmp_path / "single", "--layout", "names")
    assert (single["rows"], single["usable"]) == (2, 2)
    told = [{"file_name": f"sdxl/{number}.png", "prompt_id": str(number)} for number in range(2)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    tabled = imported(folder, *asked[:-1], tmp_path / "tabled")
    assert (tabled["layout"], tabled["rows"], tabled["usable"]) == ("table", 8, 8)
    others = [{**one, "prompt_id": str(1 - int(one["prompt_id"]))} for one in told]  # so that the numbers are no ids
    (folder / "metadata.jsonl").write_text("".join(json.dumps(one) + "\n" for one in others))
    assert imported(folder, *asked[:-1], tmp_path / "counted")["rows"] == 2


@pytest.mark.parametrize(
    ("layout", "name", "expected"),
    [
        ("hpsv2", "sdxl/anime/00012.jpg", {"prompt_id": "anime/00012", "category": ["anime"], "model": "sdxl"}),
        ("oneig", "images/anime/sdxl/012.webp", {"prompt_id": "anime_012", "category": ["anime"], "model": "sdxl"}),
        ("tifa", "coco_301091.jpg", {"prompt_id": "coco_301091", "benchmark": "tifa", "model": None}),
        ("tifa", "drawbench_12_3.png", {"prompt_id": "drawbench_12", "sample": 0}),
        ("dsg", "mini-dalle/whoops_12.png", {"prompt_id": "whoops_12", "benchmark": "dsg1k", "model": "mini-dalle"}),
        ("dsg", "localized_narratives_4_1.png", {"prompt_id": "localized_narratives_4", "sample": 0}),
        ("stylegan", "seed0042.png", {"seed": 42, "prompt_id": None, "caption": None, "sample": None}),
    ],
)
def test_a_name_says_whose_it_is(layout: str, name: str, expected: dict[str, Any], tmp_path: Path) -> None:
    facts = imported(write(tmp_path / "in", {name: None}), "--out", tmp_path / "out")
    assert facts["layout"] == layout
    row = usable(tmp_path / "out")[name]
    assert {key: row[key] for key in expected} == expected


def test_heim_names_its_files_whichever_version_wrote_it(tmp_path: Path) -> None:
    def state(number: int, completions: list[Any]) -> dict[str, Any]:
        asked = {"guidance_scale": 7.5, "diffusion_denoising_steps": 50}
        return {
            "instance": {"id": f"id{number}", "input": {"text": f"text {number}"}, "perturbation": {"name": "typos"}},
            "request": {"model": "a/b", "image_generation_parameters": asked},
            "result": {"completions": completions},
        }

    states = [
        state(
            0,
            [{"file_location": "/cache/x/aa.png"}, {"multimodal_content": {"media_objects": [{"location": "bb.png"}]}}],
        ),
        state(1, [{"file_path": "/cache/y/dd.png"}, {"file_path": "/cache/y/ee.png"}, None, {"text": "no file"}]),
    ]
    files = {"scenario_state.json": json.dumps({"request_states": [*states, "odd", {"result": []}]})}
    folder = write(tmp_path / "in", {**files, "x/aa.png": None, "bb.png": None, "cc.png": None, "z/ee.png": None})
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["usable"]) == ("heim", 3)
    assert {kind: many for kind, many in facts["counts"].items() if many} == {"missing": 1, "misnamed": 1}
    row = usable(tmp_path / "out")["bb.png"]
    assert said(row, "prompt_id", "caption", "sample", "model", "setting", "steps", "guidance") == (
        *("id0", "text 0", 1),
        *("a/b", "typos", 50, 7.5),
    )


def test_what_heim_says_and_no_column_holds_is_not_said(tmp_path: Path) -> None:
    asked = {"guidance_scale": 10**400, "diffusion_denoising_steps": 10**12}
    state = {
        "instance": {"id": "id0", "input": {"text": "a cat"}, "perturbation": {"name": 3}},
        "request": {"model": ["a"], "image_generation_parameters": asked},
        "result": {"completions": [{"file_path": "aa.png"}]},
    }
    folder = write(tmp_path / "in", {"scenario_state.json": json.dumps({"request_states": [state]}), "aa.png": None})
    imported(folder, "--out", tmp_path / "out")
    row = usable(tmp_path / "out")["aa.png"]
    assert said(row, "caption", "model", "setting", "steps", "guidance") == ("a cat", None, None, None, None)


@pytest.mark.parametrize("text", ["[]", '{"request_states": 3}', "{", "[" * 100_000])
def test_a_broken_scenario_state_is_one_line(text: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"scenario_state.json": text, "a.png": None})
    result = import_(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "is no scenario_state.json of HELM" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_the_layout_that_is_given_counts(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"partiprompts3.png": None, "partiprompts4.png": None})
    facts = imported(folder, "--layout", "names", "--out", tmp_path / "out")
    assert (facts["layout"], facts["usable"]) == ("names", 2)


def test_the_model_that_is_given_goes_before_the_name_of_a_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {f"run 7/{number:05d}/samples/0000.png": None for number in range(2)})
    for given, expected in (((), "run 7"), (("--model", "sdxl"), "sdxl")):
        imported(folder, *given, "--out", tmp_path / expected)
        assert {row["model"] for row in rows_of(tmp_path / expected)} == {expected}


def test_all_prompts_of_geneval_are_matched_from_a_folder_of_its_layout(shared: Path, tmp_path: Path) -> None:
    file = shared / "benchmarks" / "geneval" / "evaluation_metadata.jsonl"
    files: dict[str, bytes | str | None] = {}
    one = picture(1, (8, 8), kind="PNG")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        files[f"{number:05d}/metadata.jsonl"] = line
        files[f"{number:05d}/samples/0000.png"] = one
    given = ("--prompts", "geneval", "--set", f"prompts.path={file}", "--out", tmp_path / "out")
    facts = imported(write(tmp_path / "in", files), *given)
    assert (facts["usable"], facts["places"], facts["found_by"]) == (553, 553, {"text": 553})
    assert facts["counts"]["duplicate"] == 552
    assert {row["benchmark"] for row in rows_of(tmp_path / "out")} == {"geneval"}


REQUESTS = [{"instance": {"id": "7", "input": {"text": "a fish"}}, "result": {"completions": [{"location": "0.png"}]}}]


@pytest.mark.parametrize(
    ("layout", "files"),
    [
        ("any", ["{}/a red boat_0.png", "{}/7/0.png"]),
        ("any", ["{}/samples/a red boat_0.png", "{}/samples/a fish/0.png"]),
        ("any", ["runs/{}/2024-01-02/a red boat_0.png"]),
        ("names", ["{}/a red boat_0.png", "{}/00007.png"]),
        ("folders", ["{}/a red boat/0.png", "{}/7/0.png"]),
        ("geneval", ["{}/00007/samples/0000.png"]),
        ("hpsv2", ["{}/anime/00012.jpg"]),
        ("oneig", ["anime/{}/012.webp"]),
        ("tifa", ["{}/coco_301091.jpg"]),
        ("dsg", ["{}/whoops_12.png"]),
        ("dpg", ["{}/partiprompts7.png"]),
        ("compbench", ["{}/a red boat_000000.png"]),
        ("compbench", ["{}/color_val/samples/a red boat_000000.png"]),
        ("stylegan", ["{}/seed0042.png"]),
        ("heim", ["{}/scenario_state.json", "{}/0.png"]),
        ("texts", ["{}/IMG_7.png", "{}/IMG_7.txt"]),
    ],
)
def test_the_folder_above_is_the_model_in_every_layout(layout: str, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "asked.jsonl").write_text(
        '{"prompt": "a red boat", "id": "1"}\n{"prompt": "a fish", "id": "7"}\n'
        '{"prompt": "b", "id": "anime/00012"}\n{"prompt": "c", "id": "coco_301091"}\n'
        '{"prompt": "d", "id": "whoops_12"}\n{"prompt": "e", "id": "partiprompts7"}\n'
        '{"prompt": "f", "id": "anime_012"}\n'
    )
    names = [name.format(model) for model in ("sdxl", "flux") for name in files]
    state = json.dumps({"request_states": REQUESTS})
    drawn = {
        name: state.replace("0.png", f"{Path(name).parent}/0.png") if name.endswith("json") else None for name in names
    }
    drawn |= {name: "a fish" for name in names if name.endswith("txt")}
    given = ("--prompts", tmp_path / "asked.jsonl", "--set", "samples=4")
    facts = imported(write(tmp_path / "in", drawn), "--layout", layout, *given, "--out", tmp_path / "out")
    assert facts["counts"]["extra"] == 0
    rows = [row for row in rows_of(tmp_path / "out") if row["file"]]
    assert {row["file"] for row in rows} == {name for name in names if not name.endswith(("json", "txt"))}
    for row in rows:
        assert row["model"] == ("sdxl" if "sdxl" in row["file"] else "flux")


def test_the_layouts_of_that_test_are_all_that_there_are() -> None:
    (mark,) = test_the_folder_above_is_the_model_in_every_layout.pytestmark  # type: ignore[attr-defined]  # set by pytest
    assert {layout for layout, _ in mark.args[1]} == set(LAYOUTS)


def test_the_folders_of_compbench_are_no_models(tmp_path: Path) -> None:
    names = [f"{folder}/samples/a_red_boat_{at:06d}.png" for at, folder in enumerate(("color_val", "shape_val"))]
    facts = imported(write(tmp_path / "in", dict.fromkeys(names)), "--layout", "any", "--out", tmp_path / "out")
    assert {row["model"] for row in rows_of(tmp_path / "out")} == {None}
    assert facts["usable"] == 2
