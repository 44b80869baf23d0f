import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from drawn import picture
from ingested import make_config, pool_rows, run
from source_rows import rows_of

from diptych.curate.config import ParquetImages
from diptych.curate.sources import open_source
from diptych.curate.sources.picture_columns import FOLLOWED, holds_pictures, pictures_in
from diptych.errors import DataError


def test_parquet_with_image_bytes_is_read_as_struct_and_as_binary(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [{"bytes": b"1", "path": "a"}], "text": ["t"]}), tmp_path / "struct.parquet")
    pq.write_table(pa.table({"jpg": [b"2", None], "text": ["t", "u"]}), tmp_path / "binary.parquet")
    struct = ParquetImages(kind="parquet", path=tmp_path / "struct.parquet", caption_column="text")
    binary = ParquetImages(kind="parquet", path=tmp_path / "binary.parquet", image_column="jpg", caption_column="text")
    assert [row["__bytes"] for row in rows_of(struct)] == [b"1"]
    assert [(row["__bytes"], row["caption"]) for row in rows_of(binary)] == [(b"2", "t"), (None, "u")]
    pq.write_table(pa.table({"jpg": [1], "text": ["t"]}), tmp_path / "binary.parquet")
    with pytest.raises(DataError, match="holds int64, not image bytes"):
        open_source(binary).parts()


PICTURES = [b"one", b"two", b"three"]
STRUCT = pa.struct([("bytes", pa.large_binary()), ("path", pa.string_view())])
WIDE = pa.struct([("bytes", pa.large_binary())])
PACKED = {
    "large": pa.array(PICTURES, pa.large_binary()),
    "view": pa.array(PICTURES, pa.binary_view()),
    "dictionary": pa.array(PICTURES).dictionary_encode(),
    "struct": pa.array([{"bytes": one, "path": "x"} for one in PICTURES], STRUCT),
    "list": pa.array([[one] for one in PICTURES]),
    "large list of structs": pa.array([[{"bytes": one}] for one in PICTURES], pa.large_list(WIDE)),
    "fixed list": pa.array([[one] for one in PICTURES], pa.list_(pa.binary(), 1)),
    "view of lists": pa.array([[one] for one in PICTURES], pa.large_list_view(pa.binary())),
    "base64": pa.array([base64.b64encode(one).decode() for one in PICTURES], pa.string_view()),
    "data URI": pa.array([f"data:image/png;base64,{base64.b64encode(one).decode()}" for one in PICTURES]),
    "base64 for URLs": pa.array([base64.urlsafe_b64encode(one).decode().rstrip("=") for one in PICTURES]),
    "data URI of parameters": pa.array(
        [f"DATA:image/png;name=x;charset=utf-8;base64,{base64.b64encode(one).decode()}" for one in PICTURES]
    ),
    "data URI without base64": pa.array([f"data:image/svg+xml,%{one[0]:x}{one[1:].decode()}" for one in PICTURES]),
    "small numbers": pa.array([list(one) for one in PICTURES], pa.list_(pa.uint8())),
    "signed numbers in views": pa.array([list(one) for one in PICTURES], pa.large_list_view(pa.int8())),
    "wide numbers in structs": pa.array([{"bytes": list(one)} for one in PICTURES]),
    "binary base64 in structs": pa.array([{"bytes": base64.b64encode(one).decode()} for one in PICTURES]),
}


@pytest.mark.parametrize("way", PACKED)
def test_pictures_are_read_in_whatever_their_writer_packed_them(way: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": PACKED[way], "caption": list("abc")}), tmp_path / "t.parquet")
    rows = rows_of(ParquetImages(kind="parquet", path=tmp_path))
    assert [row["__bytes"] for row in rows] == PICTURES
    assert {row["__problem"] for row in rows} == {None}
    assert pictures_in(PACKED[way].slice(1)).bytes.to_pylist() == PICTURES[1:]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_base64_that_is_held_as_bytes_is_read(encode: Callable[[bytes], bytes], kind: str) -> None:
    data = picture(1, kind=kind)
    assert pictures_in(pa.array([encode(data), data, None], pa.large_binary())).bytes.to_pylist() == [data, data, None]


def test_bytes_that_only_begin_as_base64_does_stay_as_they_are() -> None:
    for data in (b"AAAA\0\0", b"Qk0 is no picture!", b"P1\n2 2\n0 1 1 0", b"nope"):
        assert pictures_in(pa.array([data])).bytes.to_pylist() == [data]


def test_a_list_of_numbers_that_are_no_bytes_says_so_and_rows_of_pixels_are_no_pictures() -> None:
    found = pictures_in(pa.array([[1, 256], [None], [-1, 0], [], None, [255]]))
    assert found.bytes.to_pylist() == [None, None, None, b"", None, b"\xff"]
    assert found.problems.to_pylist() == [
        *(f"bad_row: a list with {wrong}, which is no byte" for wrong in ("256", "null", "-1")),
        None,
        None,
        None,
    ]
    assert pictures_in(pa.array([[-1, 127]], pa.list_(pa.int8()))).bytes.to_pylist() == [b"\xff\x7f"]
    assert not holds_pictures(pa.list_(pa.list_(pa.uint8())))
    assert not holds_pictures(pa.list_(pa.list_(pa.list_(pa.uint8()))))


def test_no_picture_behind_a_null_is_lost_in_views_of_lists() -> None:
    views = pa.array([[b"a"], None, [b"b"], [b"c"]], pa.list_view(pa.binary()))
    assert pictures_in(views).bytes.to_pylist() == [b"a", None, b"b", b"c"]


def test_pictures_of_one_width_are_read() -> None:
    assert pictures_in(pa.array([b"ab", None, b"cd"], pa.binary(2))).bytes.to_pylist() == [b"ab", None, b"cd"]


def test_where_there_is_no_picture_a_row_says_what_is_there_instead() -> None:
    lists = pictures_in(pa.array([[b"a", b"b"], [], None, [b"c"]]))
    assert lists.bytes.to_pylist() == [None, None, None, b"c"]
    assert lists.problems.to_pylist() == [
        "bad_row: it has 2 pictures; give each a row of its own",
        None,
        None,
        None,
    ]
    structs = pictures_in(pa.array([{"bytes": None, "path": "x/1.jpg"}, {"bytes": b"a", "path": "p"}, None], STRUCT))
    assert structs.bytes.to_pylist() == [None, b"a", None]
    assert structs.problems.to_pylist() == [f"no_image: it has no bytes, only the path x/1.jpg; {FOLLOWED}", None, None]
    texts = pictures_in(pa.array(["what?", None, "QQ=="]))
    assert texts.bytes.to_pylist() == [None, None, b"A"]
    assert texts.problems.to_pylist() == ["bad_row: a text that is no base64: what?", None, None]


def test_paths_and_urls_in_the_place_of_pictures_come_with_the_source_that_reads_them() -> None:
    texts = pictures_in(pa.array(["photos/1.JPG", "https://a.example/1.jpg"]))
    assert texts.problems.to_pylist() == [
        f"bad_row: the path of a file, which is not followed: photos/1.JPG; {FOLLOWED}",
        "bad_row: a URL, which is not fetched: https://a.example/1.jpg; read such a table as the source url_table",
    ]


def test_url_and_key_of_the_file_are_kept(tmp_path: Path) -> None:
    rows = {"image": [b"1", b"2"], "caption": ["a", "b"], "key": ["k1", "k2"], "link": ["l1", "l2"]}
    pq.write_table(pa.table({**rows, "url": ["http://a.example/1", None]}), tmp_path / "t.parquet")
    settings = ParquetImages(kind="parquet", path=tmp_path)
    assert [(row["url"], row["source_key"]) for row in rows_of(settings)] == [
        ("http://a.example/1", "k1"),
        (None, "k2"),
    ]
    named = settings.model_copy(update={"url_column": "link", "columns": ("url", "key")})
    assert [(row["url"], row["source_url"], row["source_key"]) for row in rows_of(named)] == [
        ("l1", "http://a.example/1", "k1"),
        ("l2", None, "k2"),
    ]


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, None]), ["7", None]),
        (pa.array([b"k", b"\xff"]), ["k", "ff"]),
        (pa.array([["a"], []]), ["['a']", "[]"]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
    ],
)
def test_keys_of_another_type_in_each_file_are_texts(keys: pa.Array, texts: list[str | None], tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"1"], "caption": ["c"], "key": ["x1"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"image": [b"2", b"3"], "caption": ["c", "c"], "key": keys}), tmp_path / "b.parquet")
    config = make_config({"kind": "parquet", "path": str(tmp_path)})
    assert [row["source_key"] for row in pool_rows(run(config, tmp_path / "pool").dataset)] == ["x1", *texts]


def test_of_a_list_of_urls_the_first_is_taken_and_what_can_be_none_is_left(tmp_path: Path) -> None:
    rows = {"image": [b"1", b"2"], "caption": ["a", "b"]}
    urls = pa.array([[None, " http://a.example/1", "http://a.example/2"], []])
    pq.write_table(pa.table({**rows, "url": urls}), tmp_path / "t.parquet")
    settings = ParquetImages(kind="parquet", path=tmp_path, caption_list="joined")
    assert [row["url"] for row in rows_of(settings)] == ["http://a.example/1", None]
    pq.write_table(pa.table({**rows, "url": [{"page": "x"}, None]}), tmp_path / "t.parquet")
    assert [row["url"] for row in rows_of(settings)] == [None, None]
    with pytest.raises(
        DataError, match=r"t\.parquet: the column 'url' holds struct<page: string>, not text; name anoth"
    ):
        rows_of(settings.model_copy(update={"url_column": "url"}))


@pytest.mark.parametrize(
    "captions",
    [
        [[{"caption": "a cat", "annotator_id": 7}, {"caption": "a pet", "annotator_id": 8}], []],
        [[{"raw": "a cat", "tokens": ["a", "cat"]}, {"raw": "a pet", "tokens": []}], None],
        [{"text": ["a cat", "a pet"]}, {"text": None}],
    ],
)
def test_captions_in_structs_are_found(captions: list[Any], tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"1", b"2"], "caption": captions}), tmp_path / "t.parquet")
    settings = ParquetImages(kind="parquet", path=tmp_path)
    assert [row["caption"] for row in rows_of(settings)] == ["a cat", None]
    joined = settings.model_copy(update={"caption_list": "joined"})
    assert [row["caption"] for row in rows_of(joined)] == ["a cat a pet", None]


def test_structs_without_a_text_are_no_captions(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"1"], "caption": [[{"id": 7}]]}), tmp_path / "t.parquet")
    with pytest.raises(
        DataError, match=r"the column 'caption' holds list<.*struct<id: int64>>, not text; name another"
    ):
        rows_of(ParquetImages(kind="parquet", path=tmp_path))


def test_lists_of_captions_are_their_first_or_all_joined(tmp_path: Path) -> None:
    captions = pa.array([["", "a cat", "a pet"], [], None], pa.large_list(pa.large_string()))
    pq.write_table(pa.table({"image": [b"1", b"2", b"3"], "caption": captions}), tmp_path / "t.parquet")
    settings = ParquetImages(kind="parquet", path=tmp_path)
    assert [row["caption"] for row in rows_of(settings)] == ["a cat", None, None]
    joined = settings.model_copy(update={"caption_list": "joined"})
    assert [row["caption"] for row in rows_of(joined)] == ["a cat a pet", None, None]


def test_a_column_that_is_not_there_or_there_twice_is_named_with_its_file(tmp_path: Path) -> None:
    twice = pa.table([[b"x"], ["c"], ["d"]], names=["image", "caption", "caption"])
    pq.write_table(twice, tmp_path / "t.parquet")
    for settings, said in (({}, "there are 2 columns 'caption'"), ({"image_column": "jpg"}, "unknown column 'jpg'")):
        with pytest.raises(DataError, match=rf"t\.parquet: {said}"):
            open_source(ParquetImages(kind="parquet", path=tmp_path, **settings)).parts()


def test_captions_of_binary_parquet_may_hold_stray_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x"], "caption": [b"caf\xe9"]}), tmp_path / "t.parquet")
    assert rows_of(ParquetImages(kind="parquet", path=tmp_path))[0]["caption"] == "caf\ufffd"


class PlainKeys(pe.KmsClient):  # type: ignore[misc]  # pyarrow has no types
    """Keys that protect nothing."""

    def __init__(self, config: pe.KmsConnectionConfig) -> None:
        pe.KmsClient.__init__(self)

    def wrap_key(self, key: bytes, name: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, name: str) -> bytes:
        return base64.b64decode(key)


@pytest.mark.parametrize("has_plain_footer", [True, False])
def test_an_encrypted_column_is_one_line_and_another_column_does_not_matter(
    has_plain_footer: bool, tmp_path: Path
) -> None:
    table = pa.table({"image": [b"1"], "text": ["t"], "secret": ["s"]})
    for column in ("image", "secret"):
        settings = pe.EncryptionConfiguration("f", column_keys={"c": [column]}, plaintext_footer=has_plain_footer)
        told = pe.CryptoFactory(PlainKeys).file_encryption_properties(pe.KmsConnectionConfig(), settings)
        with pq.ParquetWriter(tmp_path / f"{column}.parquet", table.schema, encryption_properties=told) as writer:
            writer.write_table(table)
    config = ParquetImages(kind="parquet", path=tmp_path / "image.parquet", caption_column="text")
    with pytest.raises(DataError, match=r"image\.parquet: cannot be read as parquet: C\w+ (not )?(read|decrypt)"):
        list(rows_of(config))
    if has_plain_footer:
        other = ParquetImages(kind="parquet", path=tmp_path / "secret.parquet", caption_column="text")
        assert [(row["__bytes"], row["caption"]) for row in rows_of(other)] == [(b"1", "t")]
