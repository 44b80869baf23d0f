"""Tables that say of files what they are."""

import json
import unicodedata
from pathlib import Path

import pytest
from drawn import picture
from made_elsewhere import PROMPTS, import_, imported, rows_of

from diptych.errors import DataError
from diptych.generate.imported.found_images import SourceFolder
from diptych.generate.imported.own_tables import own_tables


def test_a_table_beside_its_images_says_all_that_it_can(folder: Path, prompts: Path, tmp_path: Path) -> None:
    rows = [
        {"file_name": f"{text}_{at}.png", "text": text, "model": ["a", "b"][at], "seed": 2**53 + at, "steps": 20.0}
        | {"guidance": 4.5, "sampler": "euler", "negative_prompt": "blurry", "note": {"of": at}}
        for text in PROMPTS
        for at in (0, 1)
    ]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    facts = imported(folder, "--prompts", prompts, "--set", "carry=[note]", "--out", tmp_path / "out")
    assert (facts["layout"], facts["why"]) == ("table", "metadata.jsonl names the files")
    assert (facts["flaws"], facts["usable"]) == ([], 14)
    assert {one["model"]: one["samples"] for one in facts["samples"]} == {"a": 1, "b": 1}
    (row,) = [row for row in rows_of(tmp_path / "out") if row["file"] == "a photo of a fork_1.png"]
    assert (row["model"], row["seed"], row["steps"], row["guidance"]) == ("b", 2**53 + 1, 20, 4.5)
    assert (row["sampler"], row["negative_prompt"], row["note"]) == ("euler", "blurry", '{"of": 1}')
    assert (row["prompt_id"], row["sample"]) == ("7", 0)


def test_a_file_that_a_table_names_for_two_prompts_is_double(folder: Path, prompts: Path, tmp_path: Path) -> None:
    (folder / "metadata.csv").write_text(
        "file_name,prompt_id\na photo of a bench_0.png,1\na photo of a bench_0.png,2\n"
    )
    facts = imported(folder, "--prompts", prompts, "--out", tmp_path / "out")
    (flaw,) = [flaw for flaw in facts["flaws"] if flaw["kind"] == "duplicate"]
    assert (flaw["prompt_id"], flaw["what"]) == ("2", "named twice: sample 0 of the prompt '1', too")


def test_ids_of_a_table_of_prompts_are_those_that_it_calls_prompt_id(folder: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked.csv"
    asked.write_text("prompt_id,prompt,categry\n" + "".join(f"t{at},{text},x\n" for at, text in enumerate(PROMPTS)))
    result = import_(folder, "--prompts", asked, "--out", tmp_path / "out")
    assert {row["prompt_id"] for row in rows_of(tmp_path / "out")} == {f"t{at}" for at in range(len(PROMPTS))}
    note = "note      asked.csv: the column 'categry' is not read; if it is category, say columns: {category: categry}"
    assert note in result.output


def test_a_table_may_be_the_source_and_have_other_names(folder: Path, tmp_path: Path) -> None:
    lines = [f"{at},{folder.name}/{text}_{at}.png,{text}" for text in PROMPTS for at in (0, 1)]
    table = tmp_path / "all.csv"
    table.write_text("\n".join(["number,where,asked", *lines, "0,images/not there.png,a photo of a kite"]) + "\n")
    columns = "columns={file: where, prompt: asked, sample: number}"
    facts = imported(table, "--set", columns, "--set", "samples=2", "--out", tmp_path / "out")
    assert {kind: many for kind, many in facts["counts"].items() if many} == {"missing": 2}
    kite = [row for row in rows_of(tmp_path / "out") if row["caption"] == "a photo of a kite"]
    assert [(row["sample"], row["error"], row["file"]) for row in kite] == [
        (0, "the file is not there", "images/not there.png"),
        (1, "no file of this image is there", None),
    ]


def test_a_source_that_lost_an_image_which_its_table_still_names_is_refused(folder: Path, tmp_path: Path) -> None:
    rows = "".join(f"{text}_{at}.png,{text}\n" for text in PROMPTS for at in (0, 1))
    (folder / "metadata.csv").write_text(f"file_name,prompt\n{rows}")
    imported(folder, "--out", tmp_path / "out")
    (folder / f"{PROMPTS[0]}_1.png").unlink()
    result = import_(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"an image there is no longer in the source, such as {PROMPTS[0]}_1.png" in result.output
    assert len(rows_of(tmp_path / "out")) == 14


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("file_name;text", "its columns are separated by ';', not by ','; save it with commas as .csv"),
        ("name,text", "no column names a file (its columns are 'name', 'text'); call it file_name"),
    ],
)
def test_a_table_called_metadata_that_names_no_file_is_not_passed_over(
    header: str, said: str, folder: Path, tmp_path: Path
) -> None:
    row = f"{PROMPTS[0]}_0.png,a bench".replace(",", ";" if ";" in header else ",")
    (folder / "metadata.csv").write_text(f"{header}\n{row}\n", encoding="utf-8-sig")
    result = import_(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"metadata.csv: {said}" in result.output
    assert imported(folder, "--layout", "any", "--out", tmp_path / "out")["usable"] == 14


def test_a_picture_that_the_table_does_not_name_is_no_image_of_it(folder: Path, tmp_path: Path) -> None:
    (folder / "metadata.csv").write_text(f"file_name,prompt\n{PROMPTS[0]}_0.png,{PROMPTS[0]}\n")
    facts = imported(folder, "--out", tmp_path / "out")
    assert facts["counts"]["misnamed"] == 13
    assert facts["usable"] == 1


@pytest.mark.parametrize("given", ["columns={prompt: asked}", "carry=[asked]"])
def test_a_column_that_is_not_there_is_said(folder: Path, tmp_path: Path, given: str) -> None:
    (folder / "metadata.csv").write_text(f"file,ask\n{PROMPTS[0]}_0.png,x\n")
    result = import_(folder, "--set", given, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "metadata.csv:2: unknown column 'asked'; did you mean 'ask'?" in result.output


def test_a_table_with_a_broken_line_is_not_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "metadata.jsonl").write_text(json.dumps({"file": f"{PROMPTS[0]}_0.png"}) + "\n{\n")
    result = import_(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "metadata.jsonl:2: not JSON" in result.output


def test_paths_of_another_machine_are_found_by_how_they_end(folder: Path, prompts: Path, tmp_path: Path) -> None:
    """As evalscope's own table has them; a file outside the folder is never read."""
    (tmp_path / "secret.png").write_bytes(b"not to be read")
    rows = [
        {"id": number, "prompt": text, "image_path": f"/home/other/run 7/{text}_0.png"}
        for number, text in enumerate(PROMPTS)
    ]
    rows += [{"id": 99, "prompt": "a photo of a kite", "image_path": str(tmp_path / "secret.png")}]
    rows += [{"id": 100, "prompt": "a photo of a key", "image_path": "../secret.png"}]
    (folder / "general_t2i.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for text in PROMPTS:
        (folder / f"{text}_1.png").unlink()
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["why"]) == ("table", "general_t2i.jsonl names the files")
    assert {kind: many for kind, many in facts["counts"].items() if many} == {"missing": 2}
    found = {row["prompt_id"]: row["caption"] for row in rows_of(tmp_path / "out") if row["status"] == "ok"}
    assert found == {str(number): text for number, text in enumerate(PROMPTS)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file_name,seed\na.png,many\n", "metadata.csv:2: seed: must be a whole number of 64 bits, got 'many'"),
        ("file_name,seed\na.png,1.5\n", "seed: must be a whole number"),
        ("file_name,sample\na.png,5000000000\n", "sample: must be a whole number of 32 bits, got '5000000000'"),
        ("file_name,guidance\na.png,inf\n", "guidance: must be a number, got 'inf'"),
        ("file_name,prompt\na.png\n", "the row has not the 2 fields of the header"),
        ("file_name,prompt\n", "no rows there"),
        ("who,prompt\na.png,x\n", "(its columns are 'who', 'prompt'); say which: --set columns.file=NAME"),
    ],
)
def test_a_wrong_table_is_one_line_with_its_place(folder: Path, tmp_path: Path, text: str, said: str) -> None:
    (folder / "metadata.csv").write_text(text)
    result = import_(folder / "metadata.csv", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_columns_that_nothing_reads_are_named_and_a_misspelt_one_with_the_key_that_it_may_be(
    folder: Path, tmp_path: Path
) -> None:
    rows = "".join(f"{text}_{at}.png,{text},{'ab'[at]},x\n" for text in PROMPTS for at in (0, 1))
    (folder / "metadata.csv").write_text(f"file_name,text,modell,note\n{rows}")
    said = import_(folder, "--out", tmp_path / "out").output
    assert "not used   2 columns of the table (--set 'carry=[modell, note]' keeps them as texts)\n" in said
    assert "  modell: did you mean model? if so: --set columns.model=modell\n  note\n" in said
    assert "nothing is wrong" not in said
    mended = ("--set", "columns.model=modell", "--set", "carry=[note]", "--out", tmp_path / "mended")
    assert imported(folder, *mended)["unused_columns"] == {}
    assert "nothing is missing, and nothing is wrong" in import_(folder, *mended).output


def test_a_column_that_some_rows_are_read_by_is_used(folder: Path, tmp_path: Path) -> None:
    keys = [("image", "text"), ("file", "caption")]
    rows = [{keys[at][0]: f"{text}_{at}.png", keys[at][1]: text} for text in PROMPTS for at in (0, 1)]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["unused_columns"], facts["usable"], facts["unprompted"]) == ({}, 14, [])


def test_images_of_which_nothing_says_the_prompt_are_counted_and_named(folder: Path, tmp_path: Path) -> None:
    rows = "".join(f"{text}_{at}.png,{text if at else ''}\n" for text in PROMPTS for at in (0, 1))
    (folder / "metadata.csv").write_text(f"file_name,text\n{rows}")
    said = import_(folder, "--out", tmp_path / "out").output
    reason = "nothing that is read says what they were asked for; --prompts or a table can"
    assert f"no prompt  7 ({reason})\n  {PROMPTS[0]}_0.png" in said
    assert "  and 2 more\n" in said
    assert "nothing is wrong" not in said
    assert len(imported(folder, "--out", tmp_path / "out")["unprompted"]) == 7


def test_a_table_as_one_json_array_is_not_passed_over(folder: Path, tmp_path: Path) -> None:
    table = folder / "metadata.json"
    table.write_text(json.dumps([{"file_name": "a.png", "prompt": "a"}]))
    with pytest.raises(
        DataError, match=r"metadata\.json: a table as one JSON array is not read; save it as metadata\.jsonl"
    ):
        own_tables(SourceFolder(folder, (table.name,)))
    table.write_text(json.dumps({"made_by": "a program"}))
    assert own_tables(SourceFolder(folder, (table.name,))).read == ()


def test_columns_may_be_written_in_any_case(folder: Path, tmp_path: Path) -> None:
    rows = "".join(f"{text}_{at}.png,{text},{at}\n" for text in PROMPTS for at in (0, 1))
    (folder / "metadata.csv").write_text(f"File Name,Prompt,SEED\n{rows}")
    facts = imported(folder, "--out", tmp_path / "out")
    assert (facts["layout"], facts["usable"], facts["unused_columns"], facts["unprompted"]) == ("table", 14, {}, [])
    assert {row["seed"] for row in rows_of(tmp_path / "out")} == {0, 1}


def test_of_two_columns_that_differ_in_case_alone_none_is_chosen(folder: Path, prompts: Path, tmp_path: Path) -> None:
    (folder / "metadata.csv").write_text(f"File_Name,file_name,prompt\n{PROMPTS[0]}_0.png,x.png,{PROMPTS[0]}\n")
    result = import_(folder, "--prompts", prompts, "--out", tmp_path / "out")
    assert (
        "metadata.csv:2: the columns 'File_Name' and 'file_name' are called alike, and one is the file" in result.output
    )
    told = import_(folder, "--prompts", prompts, "--set", "columns={file: File_Name}", "--out", tmp_path / "out")
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("above", ["{tmp_path}/images", "images", "../images"])
def test_files_outside_the_folder_of_the_table_are_told_with_the_folder_that_has_both(
    above: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "predictions").mkdir()
    table, where = tmp_path / "predictions" / "all.csv", above.format(tmp_path=tmp_path)
    names = [f"{where}/{PROMPTS[0]}_0.png", f"{where}/nowhere.png"]
    table.write_text("file,prompt\n" + "".join(f"{name},a bench\n" for name in names))
    said = {flaw["file"]: flaw["what"] for flaw in imported(table, "--out", tmp_path / "out")["flaws"]}
    outside = "the file lies outside the folder of the table, in which alone files are read; copy the table to"
    assert said == {names[0]: f"{outside} {tmp_path}, and give it there", names[1]: "the file is not there"}
    table.rename(tmp_path / "all.csv")
    assert imported(tmp_path / "all.csv", "--out", tmp_path / "again")["usable"] == 1, "as it says"


def test_names_that_a_mac_composed_in_another_way_are_the_same(tmp_path: Path) -> None:
    name = "\u00fcber die Br\u00fccke"
    for form, there in (("NFC", "NFD"), ("NFD", "NFC")):
        own = tmp_path / form
        (own / "bilder").mkdir(parents=True)
        (own / "bilder" / f"{unicodedata.normalize(there, name)}.png").write_bytes(picture(1, kind="PNG"))
        (own / "all.csv").write_text(f"file,prompt\nbilder/{unicodedata.normalize(form, name)}.png,a bridge\n")
        assert imported(own / "all.csv", "--out", tmp_path / f"out {form}")["usable"] == 1


def test_whole_numbers_as_pandas_writes_them_are_whole(folder: Path, tmp_path: Path) -> None:
    (folder / "metadata.csv").write_text(f"file,prompt,seed,steps\n{PROMPTS[0]}_0.png,a bench,12.0,-0.0\n")
    assert imported(folder, "--out", tmp_path / "out")["usable"] == 1
    (row,) = [row for row in rows_of(tmp_path / "out") if row["status"] == "ok"]
    assert row["seed"] == 12


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prompts.json", "is neither a folder nor a table of images; save it as .jsonl, an object in each line"),
        ("scenario_state.json", "give the folder that it lies in"),
        ("notes.txt", "give the folder of images, or a table that names them (.csv, .tsv, .jsonl)"),
        ("all.csv", "(its columns are 'prompt', 'filepath'); say which: --set columns.file=filepath"),
    ],
)
def test_a_file_that_is_no_table_of_images_says_what_to_give(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("prompt,filepath\na bench,a.png\n")
    result = import_(tmp_path / name, "--out", tmp_path / "out")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert said in result.output


def test_a_folder_of_parquet_is_for_another_command(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train-00000.parquet").write_bytes(b"PAR1")
    result = import_(tmp_path / "in", "--out", tmp_path / "out")
    assert "pictures in Parquet are read by `diptych curate ingest`" in result.output
