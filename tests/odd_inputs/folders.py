"""Odd folders: names, links, what lies beside a picture, files about many, and what is no picture."""

import csv
import io
import json
import os
import random
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from odd_inputs.captions import captioned
from odd_inputs.case import BLANK, KINDS, NO_PICTURES, OddCase, Pair, drawn, pair, some_text
from odd_inputs.tars import SUFFIX

NAMES = (
    "{:04d}",
    "a/b/{}",
    "with space/{}",
    "a.b.c{}",
    "-{}",
    "#{}%41",
    "new\nline{}",
    "quo'te\"<b>{}",
    "n" * 240 + "{}",
    "e\u0301{}",
    "{}.JPG.backup",
    "[x]*?{}",
    os.fsdecode(b"caf\xe9{}"),
)
SAYS = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


class FolderMaker:
    """Makes one folder.

    Attributes:
        root: The folder.
        outside: A folder beside it, to which links lead.
        told: What is odd.
        pairs: What is right of the pictures.
        reasons: What is right of the other rows.
    """

    def __init__(self, choice: random.Random, root: Path) -> None:
        """Begin with nothing."""
        self._has_several = False  # lines of one picture, whose order says which is its caption
        self.choice, self.root, self.outside = choice, root, root.parent / "outside"
        self.told: list[str] = []
        self.pairs: Counter[Pair] = Counter()
        self.reasons: Counter[str] = Counter()

    def some(self, number: int) -> None:
        """Make what is one row, or none."""
        kinds = [self._sidecars] * 6 + [self._whole_name, self._two_of_a_name, self._link, self._linked_folder]
        kinds += [self._no_picture, self._odd_entry, self._nothing, self._other_form]
        make = self.choice.choice(kinds)
        self.told.append(make.__name__.strip("_"))
        make(number)

    def put(self, name: str, data: bytes, root: Path | None = None) -> Path:
        """Write a file."""
        path = (root or self.root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def picture(self, number: int) -> tuple[bytes, str]:
        """Return a picture and the suffix of its file."""
        kind = self.choice.choice(KINDS)
        return drawn(number, kind), self.choice.choice(SUFFIX[kind])

    def _base(self, number: int) -> str:
        return self.choice.choice(NAMES).format(number)

    def _beside(self, base: str, number: int) -> str | None:
        beside = captioned(self.choice, number)
        self.told.append(beside.way)
        for suffix, data in beside.files.items():
            self.put(f"{base}.{suffix}", data)
        return beside.caption

    def _sidecars(self, number: int) -> None:
        (data, suffix), base = self.picture(number), self._base(number)
        self.put(f"{base}.{suffix}", data)
        self.pairs[pair(data, self._beside(base, number))] += 1

    def _whole_name(self, number: int) -> None:
        """Of h.png, h.png.txt, and maybe an h.txt that another picture, or nobody, is meant by."""
        (data, suffix), text = self.picture(number), some_text(self.choice, number)
        self.put(f"whole{number}.{suffix}", data)
        self.put(f"whole{number}.{suffix}.{self.choice.choice(('txt', 'caption', 'TXT'))}", text.encode())
        self.pairs[pair(data, text)] += 1
        if self.choice.random() < 0.5:
            other, shared = drawn(number + 500, "PNG"), some_text(self.choice, number + 500)
            self.put(f"whole{number}.tiff", other)
            self.put(f"whole{number}.txt", shared.encode())
            self.pairs[pair(other, shared)] += 1

    def _two_of_a_name(self, number: int) -> None:
        text = some_text(self.choice, number)
        for kind, suffix in (("JPEG", "jpg"), ("PNG", "png")):
            self.put(f"two{number}.{suffix}", drawn(number, kind))
            self.pairs[pair(drawn(number, kind), text)] += 1
        self.put(f"two{number}.txt", text.encode())

    def _link(self, number: int) -> None:
        data, suffix = self.picture(number)
        target = self.put(f"far{number}.{suffix}", data, self.outside)
        (self.root / f"link{number}.{suffix}").symlink_to(target)
        self.pairs[pair(data, self._beside(f"link{number}", number))] += 1

    def _linked_folder(self, number: int) -> None:
        (data, suffix), text = self.picture(number), some_text(self.choice, number)
        self.put(f"folder{number}/0.{suffix}", data, self.outside)
        self.put(f"folder{number}/0.txt", text.encode(), self.outside)
        (self.root / f"linked{number}").symlink_to(self.outside / f"folder{number}")
        self.pairs[pair(data, text)] += 1

    def _no_picture(self, number: int) -> None:
        reason = self.choice.choice(list(NO_PICTURES))
        self.told.append(reason)
        self.put(f"none{number}.{self.choice.choice(('jpg', 'png', 'jxl', 'svg'))}", NO_PICTURES[reason])
        self._beside(f"none{number}", number)
        self.reasons[reason] += 1

    def _odd_entry(self, number: int) -> None:
        path = self.root / f"odd{number}.jpg"
        kind = self.choice.choice(("pipe", "dangling", "circle", "link upwards"))
        self.told.append(kind)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "dangling":
            path.symlink_to("/nowhere/at/all.jpg")
        elif kind == "circle":
            path.symlink_to(path.name)
        else:
            (self.root / f"up{number}").symlink_to(".", target_is_directory=True)
            return
        self.reasons["unreadable"] += 1

    def _nothing(self, number: int) -> None:
        """Make what is no row."""
        data = drawn(number)
        name = self.choice.choice((".hidden{}.jpg", ".git/{}.jpg", "a/.cache/{}.jpg", ".DS_Store{}", "._{}.jpg"))
        self.put(name.format(number), data)

    def _other_form(self, number: int) -> None:
        """Name picture and text in other Unicode forms, or another case."""
        data, text = drawn(number), some_text(self.choice, number)
        name = f"Émile{number}"
        forms = (unicodedata.normalize("NFD", name), name.lower(), name.upper())
        self.put(f"{name}.jpg", data)
        self.put(f"{self.choice.choice(forms)}.txt", text.encode())
        self.pairs[pair(data, text)] += 1


class MetadataMaker(FolderMaker):
    """Makes a folder with a file about many pictures."""

    def fill(self, rows: int) -> None:
        """Make pictures and the file that says something of them."""
        choice = self.choice
        says, key = choice.choice(SAYS), choice.choice(("caption", "text", "prompt"))
        sub = choice.choice(("", "train/"))
        self.told += [says, key]
        lines = [line for number in range(rows) for line in self._lines(number, key, sub)]
        if choice.random() < 0.3:
            lines.append({"file_name": "gone.jpg", key: "a picture that is not there"})
            self.reasons["unreadable"] += 1
        if choice.random() < 0.2:
            self.put("outside.jpg", drawn(98), self.outside)
            lines.append({"file_name": choice.choice(("../outside/outside.jpg", "/etc/hostname")), key: "not below"})
            self.reasons["unreadable"] += 1
        if choice.random() < 0.3 and not self._has_several:
            choice.shuffle(lines)
        self.put(f"{sub}{says}", self._written(lines, says, key))

    def _lines(self, number: int, key: str, sub: str) -> list[dict[str, Any]]:
        choice = self.choice
        (data, suffix), text = self.picture(number), some_text(choice, number)
        name = choice.choice(("{}.{}", "deep/{}.{}", "ünï {}.{}", "x.y{}.{}")).format(number, suffix)
        self.put(f"{sub}{name}", data)
        shown = choice.choice((name, f"./{name}", name.replace("/", "\\")))
        line = {"file_name": shown, "n": number}
        draw = choice.random()
        if draw < 0.5:
            self.pairs[pair(data, text)] += 1
            return [{**line, key: text}]
        if draw < 0.6:
            self.pairs[pair(data, None)] += 1
            return [{**line, key: choice.choice(BLANK)}]
        if draw < 0.7:
            self.pairs[pair(data, None)] += 1
            return [line]
        if draw < 0.8:  # its own sidecar goes before
            own = some_text(choice, number + 500)
            self.put(f"{sub}{name.rpartition('.')[0]}.txt", own.encode())
            self.pairs[pair(data, own)] += 1
            return [{**line, key: text}]
        self._has_several = True
        self.told.append("several lines of a picture")
        self.pairs[pair(data, text)] += 1
        first = choice.choice(([line], [{**line, key: ""}], []))
        return [*first, {**line, key: text}, {**line, key: f"{text} again"}]

    def _written(self, lines: list[dict[str, Any]], says: str, key: str) -> bytes:
        end = self.choice.choice(("\n", "\r\n"))
        mark = self.choice.choice(("", "", "\ufeff"))
        if says == "metadata.jsonl":
            texts = [json.dumps(line, ensure_ascii=self.choice.random() < 0.5) for line in lines]
            return (mark + end.join(texts) + self.choice.choice(("", end, end * 3))).encode()
        names = ["file_name", "n", key]
        if says == "metadata.csv":
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, names, restval="", lineterminator=end)
            writer.writeheader()
            writer.writerows(lines)
            return (mark + text.getvalue()).encode()
        buffer = io.BytesIO()
        pq.write_table(pa.table({name: [line.get(name) for line in lines] for name in names}), buffer)
        return buffer.getvalue()


def folder_case(seed: int, folder: Path) -> OddCase:
    """Make a folder of pictures."""
    choice = random.Random(seed)
    if choice.random() < 0.3:
        maker = MetadataMaker(choice, folder)
        maker.fill(choice.randint(1, 8))
    else:
        maker = FolderMaker(choice, folder)
        for number in range(choice.randint(1, 10)):
            maker.some(number)
        if not maker.pairs:
            maker.put("one.jpg", drawn(99))
            maker.pairs[pair(drawn(99), None)] += 1
    source = {"kind": "folder", "path": str(folder)}
    return OddCase(seed, ", ".join(maker.told), source, maker.pairs, maker.reasons)
