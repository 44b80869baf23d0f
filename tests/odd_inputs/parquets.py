"""Odd Parquet files of pictures: every type that holds them, and captions of every type, in files that differ."""

import random
from collections import Counter
from pathlib import Path

import pyarrow as pa

from odd_inputs.case import BLANK, KINDS, NO_PICTURES, OddCase, Pair, drawn, pair, some_text
from odd_inputs.typed_columns import LIST_TYPES, PICTURE_TYPES, TEXT_TYPES, written

CARRIED = {
    "half": pa.float16(),
    "wide": pa.float64(),
    "flag": pa.bool_(),
    "view": pa.string_view(),
    "when": pa.timestamp("us", "UTC"),
    "day": pa.date32(),
    "tags": pa.list_(pa.string()),
    "seen": pa.list_view(pa.string()),
    "box": pa.list_(pa.float32(), 4),
    "facts": pa.struct([("x", pa.int64())]),
    "money": pa.decimal128(9, 2),
    "nothing": pa.null(),
}


def parquet_case(seed: int, folder: Path) -> OddCase:
    """Make one file, or several whose columns have other types."""
    choice = random.Random(seed)
    image, caption = choice.choice((("image", "caption"), ("jpg", "txt"), ("Image", "text")))
    source = {"kind": "parquet", "path": str(folder), "image_column": image, "caption_column": caption}
    carried = choice.sample(list(CARRIED), choice.choice((0, 0, 3)))
    source |= {"columns": carried} if carried else {}
    told, pairs, reasons = list[str](), Counter[Pair](), Counter[str]()
    for number in range(choice.choice((1, 1, 2, 3))):
        pictures, captions = list[bytes | None](), list[str | None]()
        for row in range(100 * number, 100 * number + choice.randint(0 if number else 1, 8)):
            picture, text = _picture(choice, row, reasons), _text(choice, row)
            if picture:
                pairs[pair(picture, (text or "").strip("\u200b \t\n") or None)] += picture not in NO_PICTURES.values()
            pictures.append(picture)
            captions.append(text)
        columns = _columns(choice, told, pictures, captions)
        table = {image: columns["image"], caption: columns["caption"]}
        table |= {name: pa.nulls(len(pictures), CARRIED[name]) for name in carried}
        table |= {"other": pa.array([[{"deep": 1}]] * len(pictures))} if choice.random() < 0.2 else {}
        keys = choice.choice((list(range(len(pictures))), [f"k{row}" for row in range(len(pictures))]))
        table |= {"key": pa.array(keys)} if choice.random() < 0.3 else {}
        (folder / f"part {number}.parquet").write_bytes(written(choice, table))
    if choice.random() < 0.15:
        (folder / "part 9.parquet").write_bytes(b"")
        reasons["bad_row"] += 1
        told.append("a file of 0 bytes")
    return OddCase(seed, ", ".join(told), source, +pairs, reasons)


def _columns(
    choice: random.Random, told: list[str], pictures: list[bytes | None], captions: list[str | None]
) -> dict[str, pa.Array]:
    kinds = choice.choice(list(PICTURE_TYPES)), choice.choice([*TEXT_TYPES, *LIST_TYPES])
    told.append(" with ".join(kinds))
    return {
        "image": PICTURE_TYPES[kinds[0]](pictures),
        "caption": {**TEXT_TYPES, **LIST_TYPES}[kinds[1]](captions),
    }


def _picture(choice: random.Random, row: int, reasons: Counter[str]) -> bytes | None:
    draw = choice.random()
    if draw < 0.08:
        reasons["no_image"] += 1
        return None
    if draw < 0.16:
        reason = choice.choice(list(NO_PICTURES))
        reasons[reason] += 1
        return NO_PICTURES[reason]
    return drawn(row, choice.choice(KINDS))


def _text(choice: random.Random, row: int) -> str | None:
    draw = choice.random()
    return None if draw < 0.1 else choice.choice(BLANK) if draw < 0.2 else some_text(choice, row)
