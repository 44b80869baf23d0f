"""Captions where other programs write them: one file for many pictures, which is itself no picture."""

import json
from pathlib import Path
from typing import Any

import pytest
from source_rows import as_csv, as_parquet, captions_of, coco, contents_of, index_of, pictures, rows_of, write_files

from diptych.curate.config import Folder
from diptych.curate.sources import open_source
from diptych.curate.sources.contract import NOTE
from diptych.curate.sources.digests import identify_part
from diptych.curate.sources.folder import NOT_BELOW
from diptych.errors import DataError

TEXTS = {f"{number:04d}.png": f"caption {number}" for number in range(3)}


def said_of(folder: Path) -> object:
    """Return the captions, or how the line begins that refuses."""
    try:
        return captions_of(folder)
    except DataError as error:
        return ": ".join(str(error).split(": ")[:2])


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize(
    ("name", "written"), [("metadata.jsonl", lines), ("metadata.csv", as_csv), ("metadata.parquet", as_parquet)]
)
def test_metadata_of_an_image_folder_gives_captions_and_columns(name: str, written: Any, tmp_path: Path) -> None:
    rows = [{"file_name": file, "text": text, "rating": 0.5, "id": "007"} for file, text in TEXTS.items()]
    write_files(tmp_path / "train", {**pictures(TEXTS), name: written(rows)})
    assert captions_of(tmp_path) == {f"train/{file}": text for file, text in TEXTS.items()}
    settings = Folder(
        kind="folder",
        path=tmp_path,
        columns=("rating", "id", "text"),
        types={"rating": "float64", "id": "string", "text": "string"},
        caption_key="id",
    )
    found = [(row["caption"], row["rating"], row["id"], row["text"]) for row in rows_of(settings)]
    assert found == [("007", 0.5, "007", text) for text in TEXTS.values()]
    before = contents_of(settings)
    write_files(tmp_path / "train", {name: written([{**row, "text": "other"} for row in rows])})
    assert contents_of(settings) != before, "what is said of pictures is part of the input"
    assert len(captions_of(tmp_path, captions="none")) == len(TEXTS), "it is no picture where nobody reads it, too"


def test_lines_about_one_picture_are_captions_of_it(tmp_path: Path) -> None:
    rows = [{"file_name": "0.png", "text": text, "n": n} for n, text in enumerate(["first", "second", "first"])]
    written = lines([*rows, {"file_name": "1.png", "text": "alone"}])
    folder = write_files(tmp_path, {**pictures(["0.png", "1.png"]), "metadata.jsonl": written})
    assert captions_of(folder) == {"0.png": "first", "1.png": "alone"}
    assert captions_of(folder, caption_list="joined") == {"0.png": "first second", "1.png": "alone"}
    settings = Folder(
        kind="folder", path=folder, columns=("captions", "n"), types={"captions": "string[]", "n": "int64"}
    )
    assert [(row["captions"], row["n"]) for row in rows_of(settings)] == [(["first", "second"], 0), (None, None)]
    lists = [{"file_name": "0.png", "text": ["a", "b"]}, {"file_name": "0.png", "text": "c"}]
    assert captions_of(
        write_files(tmp_path / "l", {"0.png": b"x", "metadata.jsonl": lines(lists)}), caption_list="joined"
    ) == {"0.png": "a b c"}


def test_a_quote_that_is_never_closed_ends_the_reading_of_a_csv_and_swallows_nothing(tmp_path: Path) -> None:
    told = b'file_name,text\na.png,"open\nb.png,bb\n'
    folder = write_files(tmp_path, {**pictures(["a.png", "b.png"]), "metadata.csv": told})
    with pytest.raises(DataError, match=r"metadata\.csv: cannot be read as metadata: unexpected end of data"):
        captions_of(folder)
    inches = b'file_name,text\na.png,a 5" screen\nb.png,bb\n'
    assert captions_of(write_files(folder, {"metadata.csv": inches})) == {"a.png": 'a 5" screen', "b.png": "bb"}


def test_a_caption_of_nothing_but_invisible_characters_is_none_in_a_folder(tmp_path: Path) -> None:
    assert captions_of(write_files(tmp_path, {"a.png": b"x", "a.txt": "\u200b \ufeff".encode()})) == {"a.png": None}
    assert captions_of(write_files(tmp_path, {"a.txt": bytes(2)})) == {"a.png": None}, "as a disk leaves what it lost"


def test_a_picture_that_metadata_names_and_that_is_not_there_is_a_row(tmp_path: Path) -> None:
    rows = [{"file_name": name, "text": name} for name in ("0.png", "sub\\1.png", "gone.png", f"{tmp_path}/2.png")]
    folder = write_files(tmp_path, {**pictures(["0.png", "sub/1.png", "2.png"]), "metadata.jsonl": lines(rows)})
    found = {row["file"]: (row["caption"], row["__problem"]) for row in rows_of(Folder(kind="folder", path=folder))}
    assert found == {
        "0.png": ("0.png", None),
        "gone.png": ("gone.png", "unreadable: No such file or directory"),
        "sub/1.png": ("sub\\1.png", None),
        "2.png": (f"{tmp_path}/2.png", None),
    }
    assert len(captions_of(folder, captions="none")) == 3, "what nobody reads names nothing"


NOWHERE = ["test/b.jpg", "x/a.jpg/b.jpg", "https://h.example/1.jpg", f"{'a' * 300}/b.jpg", "loop/b.jpg", "z\0/b.jpg"]


@pytest.mark.parametrize("name", NOWHERE, ids=range(len(NOWHERE)))
def test_a_picture_that_metadata_names_in_a_folder_that_is_not_there_is_a_row(name: str, tmp_path: Path) -> None:
    told = lines([{"file_name": "x/a.jpg", "text": "zero"}, {"file_name": name, "text": "one"}])
    folder = write_files(tmp_path / "in", {"x/a.jpg": b"x", "metadata.jsonl": told})
    (folder / "loop").symlink_to("loop")
    settings = Folder(kind="folder", path=folder)
    found = [(row["caption"], row["__bytes"], (row["__problem"] or "")[:12]) for row in rows_of(settings)]
    assert found.count(("zero", b"x", "")) == 1
    assert [row for row in found if row[0] == "one"] == [("one", None, "unreadable: ")]
    assert len(index_of(settings).hashes) == len(found)


@pytest.mark.parametrize("relative", [False, True])
def test_what_metadata_names_outside_of_its_folder_is_a_row_and_is_not_read(
    relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("0.png", "../in/0.png", "../secret.png", "sub/../../secret.png", f"{tmp_path}/secret.png")
    files = {"in/0.png": b"x", "in/metadata.jsonl": lines([{"file_name": name, "text": "t"} for name in names])}
    write_files(tmp_path, {**files, "secret.png": b"secret"})
    monkeypatch.chdir(tmp_path / "in")
    settings = Folder(kind="folder", path=Path() if relative else tmp_path / "in")
    found = [(row["__bytes"], row["caption"], row["__problem"]) for row in rows_of(settings)]
    assert found.count((None, None, NOT_BELOW)) == 3  # two names of one file lead to the same place
    assert [row for row in found if row[2] is None] == [(b"x", "t", None)]
    assert b"secret" not in [row[0] for row in found]
    assert identify_part(open_source(settings).parts()[0]).digests.count(None) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_about_many_pictures_may_begin_with_the_mark_of_its_encoding(encoding: str, tmp_path: Path) -> None:
    rows = [{"file_name": file, "text": text} for file, text in TEXTS.items()]
    samples = json.dumps({"samples": [{"filepath": row["file_name"], "caption": row["text"]} for row in rows]})
    told = {"metadata.jsonl": lines(rows), "metadata.csv": as_csv(rows), "samples.json": samples.encode()}
    for name, content in told.items():
        files = {name: content.decode().encode(encoding), **pictures(TEXTS)}
        assert captions_of(write_files(tmp_path / name, files)) == TEXTS


@pytest.mark.parametrize("texts", [["7", "007"], ["7", "42"], ["1.50", "2"], ["true", "False"]])
def test_a_caption_that_is_a_number_or_a_truth_value_is_a_caption(texts: list[str], tmp_path: Path) -> None:
    for key in ("text", "label"):
        rows = [{"file_name": name, key: text} for name, text in zip(TEXTS, texts, strict=False)]
        files = {"metadata.csv": as_csv(rows), **pictures(row["file_name"] for row in rows)}
        settings = {"caption_key": key} if key == "label" else {}
        found = captions_of(write_files(tmp_path / key, files), **settings)
        assert list(found.values()) == texts


def test_numbers_in_json_are_captions_as_json_has_them(tmp_path: Path) -> None:
    rows = [{"file_name": name, "text": value} for name, value in zip(TEXTS, (42, 1.5, float("nan")), strict=True)]
    samples = json.dumps({"samples": [{"filepath": row["file_name"], "caption": row["text"]} for row in rows]})
    told = {"metadata.jsonl": lines(rows), "metadata.parquet": as_parquet(rows), "samples.json": samples.encode()}
    for name, content in told.items():
        found = captions_of(write_files(tmp_path / name, {name: content, **pictures(TEXTS)}))
        assert list(found.values()) == (["42.0", "1.5", None] if name == "metadata.parquet" else ["42", "1.5", None])


@pytest.mark.parametrize("there", ["\u00e9.jpg", "e\u0301.jpg"])
@pytest.mark.parametrize("told", ["\u00e9.jpg", "e\u0301.jpg"])
def test_a_file_about_many_names_pictures_in_either_form_of_unicode(there: str, told: str, tmp_path: Path) -> None:
    coco_file = coco({1: told})
    by_name = {"metadata.jsonl": lines([{"file_name": told, "text": "seen 1"}]), "annotations/c.json": coco_file}
    for name, content in by_name.items():
        folder = write_files(tmp_path / Path(name).stem, {name: content, **pictures([there])})
        assert captions_of(folder) == {there: "seen 1"}


def test_samples_of_fiftyone_give_captions(tmp_path: Path) -> None:
    samples = [{"filepath": f"data/{file}", "caption": text, "tags": ["x"]} for file, text in TEXTS.items()]
    samples[0]["filepath"] = str(tmp_path.resolve() / "data/0000.png")
    files = {"samples.json": json.dumps({"samples": samples}).encode(), "metadata.json": b'{"media_type": "image"}'}
    write_files(tmp_path, {**files, **pictures(f"data/{file}" for file in TEXTS)})
    assert captions_of(tmp_path) == {f"data/{file}": text for file, text in TEXTS.items()}


def test_a_prompt_of_geneval_is_the_caption_of_all_its_samples(tmp_path: Path) -> None:
    for number in range(2):
        about = {"tag": "single_object", "include": [], "prompt": f"a photo of {number}"}
        write_files(tmp_path / f"{number:05d}", {"metadata.jsonl": json.dumps(about).encode()})
        write_files(tmp_path / f"{number:05d}/samples", pictures(["0000.png", "0001.png"]))
    assert captions_of(tmp_path) == {
        f"{number:05d}/samples/{one:04d}.png": f"a photo of {number}" for number in range(2) for one in range(2)
    }


def test_a_sidecar_of_its_own_goes_before_a_file_about_many(tmp_path: Path) -> None:
    rows = [{"file_name": "sub\\a.jpg", "text": "of many"}, {"file_name": "./b.jpg", "text": "of many"}]
    files = {"metadata.jsonl": lines(rows), "b.txt": b"its own", **pictures(["sub/a.jpg", "b.jpg"])}
    assert captions_of(write_files(tmp_path, files)) == {"b.jpg": "its own", "sub/a.jpg": "of many"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.jsonl", b"{"),
        ("metadata.jsonl", b"[1]\n"),
        ("samples.json", b"{"),
        ("annotations/c.json", b"no"),
        ("labels.json", b'{"images": ['),
    ],
)
def test_a_damaged_caption_file_is_one_line_with_its_path(name: str, content: bytes, tmp_path: Path) -> None:
    write_files(tmp_path, {name: content, **pictures(["a.jpg"])})
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
        captions_of(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085"])
def test_only_a_line_feed_ends_a_line_of_metadata(mark: str, tmp_path: Path) -> None:
    text = f"one{mark}two"
    row = json.dumps({"file_name": "a.jpg", "text": text}, ensure_ascii=False)
    for end in (b"\n", b"\r\n", b"", b"\x0c\n"):
        content = row.encode() + end
        assert captions_of(write_files(tmp_path, {"metadata.jsonl": content, **pictures(["a.jpg"])})) == {"a.jpg": text}


@pytest.mark.parametrize("bad", ["{bad", "[1]", "{" * 100_000])
def test_a_bad_line_of_metadata_is_named_by_its_number_and_shown(bad: str, tmp_path: Path) -> None:
    content = lines([{"file_name": "a.jpg", "text": "t\u2028"}]) + b"\n\n\n\n" + bad.encode() + b"\n"
    write_files(tmp_path, {"metadata.jsonl": content, **pictures(["a.jpg"])})
    with pytest.raises(DataError) as caught:
        captions_of(tmp_path)
    expected = f"{tmp_path / 'metadata.jsonl'}: line 6 is no JSON object: {bad[:60]!r}; mend it or take it out"
    assert str(caught.value) == expected


ODD = [None, 5, [], [None, 5, "x", {}], {}, {"id": [1], "image_id": {}, "caption": 5, "file_name": 5, "filepath": 5}]


@pytest.mark.parametrize("odd", [*ODD, [ODD[-1]]])
@pytest.mark.parametrize("name", ["samples.json", "annotations/captions_x.json"])
def test_files_of_another_make_say_nothing_or_are_named(name: str, odd: Any, tmp_path: Path) -> None:
    for value in (odd, {"samples": odd, "images": odd, "annotations": odd}):
        write_files(tmp_path, {name: json.dumps(value).encode(), **pictures(["a.jpg"])})
        assert str(said_of(tmp_path)).endswith(("{'a.jpg': None}", "cannot be read as COCO captions", "or take it out"))


def note_of(folder: Path, **changes: Any) -> str | None:
    """Return what is noted of ``1.png``, the picture without a text beside it."""
    rows = rows_of(Folder(kind="folder", path=folder, **changes))
    return next(row[NOTE] for row in rows if row["file"] == "1.png")


NO_PICTURE = "metadata.csv names no picture: it has no 'file_name', but 'picture', 'text'"
NO_CAPTION = "metadata.csv has no caption: it has no 'caption' or 'text' or 'prompt', but 'txt'"


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (b"picture,text\n1.png,a cat\n", {}, NO_PICTURE),
        (b"picture,text\n0.png,a dog\n1.png,a cat\n", {}, NO_PICTURE),
        (b"file_name,txt\n1.png,a cat\n", {}, f"{NO_CAPTION}; caption_key says another name"),
        (b"file_name,txt\n1.png,a cat\n", {"caption_key": "txt"}, None),
        (b"file_name,text\n1.png,\n", {}, None),
    ],
)
def test_metadata_that_cannot_be_used_is_named_even_where_another_picture_has_a_sidecar(
    content: bytes, changes: dict[str, Any], said: str | None, tmp_path: Path
) -> None:
    files = {"metadata.csv": content, "0.txt": b"a sidecar", **pictures(["0.png", "1.png"])}
    assert note_of(write_files(tmp_path, files), **changes) == said


def test_metadata_without_captions_is_not_blamed_where_captions_are_not_sought(tmp_path: Path) -> None:
    files = {"metadata.csv": b"file_name,label\n1.png,cat\n", "1.txt": b"a cat", **pictures(["1.png"])}
    carried = {"columns": ("label",), "types": {"label": "string"}}
    write_files(tmp_path, files)
    assert note_of(tmp_path, **carried) is None
    assert note_of(tmp_path, captions="file_name", **carried) is None


def test_metadata_separated_by_semicolons_is_refused_with_the_cure(tmp_path: Path) -> None:
    content = "file_name;text\n1.png;a cat\n".encode("utf-8-sig")
    write_files(tmp_path, {"metadata.csv": content, "1.txt": b"a cat", **pictures(["1.png"])})
    with pytest.raises(DataError, match=r"its columns are separated by ';', not by ','; save it with commas as .csv"):
        captions_of(tmp_path)


def test_metadata_in_the_encoding_of_windows_names_the_line_and_the_cure(tmp_path: Path) -> None:
    content = "file_name,text\n0.png,a cat\n1.png,Stra\u00dfe\n".encode("cp1252")
    write_files(tmp_path, {"metadata.csv": content, **pictures(["0.png", "1.png"])})
    said = r"metadata.csv: line 3 has a byte that is no UTF-8: 0xdf; save it as UTF-8 \(in Excel: CSV UTF-8\)"
    with pytest.raises(DataError, match=said):
        captions_of(tmp_path)


def test_columns_of_a_folder_are_declared() -> None:
    with pytest.raises(ValueError, match="columns: declare the type of 'rating' in types"):
        Folder(kind="folder", path="in", columns=("rating",))


def test_a_caption_is_found_in_whichever_line_of_a_picture_it_stands(tmp_path: Path) -> None:
    lines = [
        {"file_name": "0.png", "n": 1},
        {"file_name": "0.png", "text": "a cat"},
        {"file_name": "0.png", "text": ""},
    ]
    files = {"0.png": b"x", "metadata.jsonl": "\n".join(map(json.dumps, lines)).encode()}
    assert captions_of(write_files(tmp_path, files)) == {"0.png": "a cat"}
