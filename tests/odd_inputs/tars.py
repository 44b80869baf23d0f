"""Odd tars: orders, links, names, formats, packings, what is cut, and what has no place in a dataset."""

import io
import random
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from odd_inputs.captions import Beside, captioned
from odd_inputs.case import KINDS, NO_PICTURES, OddCase, Pair, drawn, pair

SUFFIX = {
    "JPEG": ("jpg", "jpeg", "JPG", "jpe", "jfif"),
    "PNG": ("png", "PNG"),
    "WEBP": ("webp",),
    "GIF": ("gif",),
    "BMP": ("bmp", "dib"),
}
NAMES = (
    "{:06d}",
    "a/b/{:04d}",
    "./{}",
    "ünï cödé {}",
    "with space/{}",
    "UPPER{}",
    "img.v1.{}",
    "x" * 120 + "/{}",
    "-{}",
)
FORMATS = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}
PACKINGS = {"": "w", "gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}


class Member(NamedTuple):
    """A member of a tar: with content, or a link of a kind to another one."""

    name: str
    data: bytes = b""
    link: str = ""
    kind: bytes = tarfile.REGTYPE


class TarMaker:
    """Makes one tar.

    Attributes:
        told: What is odd.
        rows: The members of each row.
        pairs: What is right of the pictures.
        reasons: What is right of the other rows.
    """

    def __init__(self, choice: random.Random, first: int = 0) -> None:
        """Begin with nothing; pictures are counted from ``first``."""
        self.choice, self.first = choice, first
        self.told: list[str] = []
        self.rows: list[list[Member]] = []
        self.pairs: Counter[Pair] = Counter()
        self.reasons: Counter[str] = Counter()
        self.name = choice.choice(NAMES)
        self.kind = "input." if choice.random() < 0.1 else ""  # of all pictures, as in 0.input.jpg
        self._pictures: list[tuple[str, bytes]] = []

    def fill(self, rows: int) -> None:
        """Make rows."""
        self.told.append(f"names {self.name[:20]}")
        for number in range(self.first, self.first + rows):
            base = self.name.format(number)
            draw = self.choice.random()
            if draw < 0.08 and "." not in base.rpartition("/")[2]:
                self._text_alone(base, number)
            elif draw < 0.16:
                self._no_picture(base, number)
            elif draw < 0.3 and self._pictures:
                self._link(base, number)
            else:
                self._picture(base, number)

    def _picture(self, base: str, number: int) -> None:
        kind = self.choice.choice(KINDS)
        data, name = drawn(number, kind), f"{base}.{self.kind}{self.choice.choice(SUFFIX[kind])}"
        self._pictures.append((name, data))
        beside = self._beside(number)
        extra = [Member(f"{base}.cls", b"3")] if self.choice.random() < 0.2 else []
        self._add([Member(name, data), *self._members(base, beside), *extra])
        self.pairs[pair(data, beside.caption)] += 1

    def _link(self, base: str, number: int) -> None:
        target, data = self.choice.choice(self._pictures)
        name = f"{base}.{self.kind}{target.rpartition('.')[2]}"
        beside = self._beside(number)
        if self.choice.random() < 0.5:
            link = Member(name, link=target, kind=tarfile.LNKTYPE)
        else:  # counted from where the link lies
            up = "../" * name.removeprefix("./").count("/")
            link = Member(name, link=up + target.removeprefix("./"), kind=tarfile.SYMTYPE)
        self.told.append("a link")
        self._add([link, *self._members(base, beside)])
        self.pairs[pair(data, beside.caption)] += 1

    def _no_picture(self, base: str, number: int) -> None:
        reason = self.choice.choice([*NO_PICTURES, "dangling", "pipe"])
        self.told.append(f"a picture that is {reason}")
        name = f"{base}.{self.kind}{'jxl' if reason == 'unsupported' else 'jpg'}"
        if reason == "dangling":
            outside = self.choice.choice(["/etc/passwd", "nowhere.jpg", "../../../../etc/hostname"])
            member = Member(name, link=outside, kind=self.choice.choice([tarfile.SYMTYPE, tarfile.LNKTYPE]))
        elif reason == "pipe":
            member = Member(name, kind=tarfile.FIFOTYPE)
        else:
            member = Member(name, NO_PICTURES[reason])
        self._add([member, *self._members(base, self._beside(number))])
        self.reasons["unreadable" if reason in ("dangling", "pipe") else reason] += 1

    def _text_alone(self, base: str, number: int) -> None:
        self._add([Member(f"{base}.txt", b"a caption of nothing")])
        self.reasons["no_image"] += 1
        self.told.append("a text alone")

    def _beside(self, number: int) -> Beside:
        beside = captioned(self.choice, number)
        self.told.append(beside.way)
        return beside

    def _members(self, base: str, beside: Beside) -> list[Member]:
        base = unicodedata.normalize(self.choice.choice(("NFC", "NFC", "NFD")), base)
        stem = "outputs." if self.kind and len(beside.files) == 1 and "json" not in beside.files else ""
        return [Member(f"{base}.{stem}{suffix}", data) for suffix, data in beside.files.items()]

    def _add(self, members: list[Member]) -> None:
        if self.choice.random() < 0.3:
            folder, slash, last = members[0].name.rpartition("/")
            members = [Member(f"{folder}{slash}._{last}", b"macOS"), *members]
        self.rows.append(members)


def tar_case(seed: int, folder: Path) -> OddCase:
    """Make one tar, or several, in a folder."""
    choice = random.Random(seed)
    told, pairs, reasons, may_lack = list[str](), Counter[Pair](), Counter[str](), False
    for number in range(choice.choice((1, 1, 2))):
        maker = TarMaker(choice, 100 * number)
        maker.fill(choice.randint(1, 8))
        may_lack |= _written(maker, folder / f"{number:05d}.tar")
        told += maker.told
        pairs += maker.pairs
        reasons += maker.reasons
    if choice.random() < 0.2:
        (folder / "._00000.tar").write_bytes(b"macOS")
    if choice.random() < 0.1:
        (folder / "99999.tar").write_bytes(b"")
        reasons["bad_row"] += 1
        told.append("a file of 0 bytes")
    source = {"kind": "webdataset", "path": str(folder)}
    return OddCase(seed, ", ".join(told), source, pairs, reasons, may_lack)


def _written(maker: TarMaker, path: Path) -> bool:
    """Write a tar; return whether rows may be missing."""
    choice = maker.choice
    packing = choice.choice(("", "", "", *PACKINGS))
    order = choice.choice(("rows", "rows", "behind", "shuffled"))
    names = [member.name for row in maker.rows for member in row]
    fits = all(len(name.encode()) < 100 and name.isascii() for name in names)
    kind = choice.choice(list(FORMATS) if fits else ["pax", "gnu"])
    maker.told.append(f"{kind} {packing} {order}")
    write_tar(path, in_order(choice, maker.rows, order), PACKINGS[packing], FORMATS[kind])
    is_cut = choice.random() < 0.15 and order != "shuffled"  # of which nobody knows what is behind
    if is_cut:
        whole = path.read_bytes()
        size = choice.randrange(min(600, len(whole) // 2), len(whole))
        path.write_bytes(whole[:size])
        maker.told.append(f"cut to {size} of {len(whole)} bytes")
    return is_cut or (packing != "" and order != "rows")


def in_order(choice: random.Random, rows: list[list[Member]], order: str) -> list[Member]:
    """Return the members in one of the orders in which programs write them; links stand behind what they lead to."""
    if order == "rows":
        return [member for row in rows for member in row]
    every = [member for row in rows for member in row]
    if order == "behind":
        every.sort(key=lambda member: member.name.lower().endswith(("txt", "caption", "json", "cls")))
    else:
        choice.shuffle(every)
    return sorted(every, key=lambda member: bool(member.link))


def write_tar(path: Path, members: list[Member], mode: str, kind: int) -> None:
    """Write a tar."""
    with tarfile.open(path, mode, format=kind) as tar:  # type: ignore[call-overload]  # the mode is no literal
        folders = {member.name.rpartition("/")[0] for member in members} - {"", "."}
        for name in sorted(folders):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.size, info.type, info.linkname = len(member.data), member.kind, member.link
            tar.addfile(info, io.BytesIO(member.data))
