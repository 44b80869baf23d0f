"""What is in a tar: its rows, and where the content of each member lies.

Read for it are headers, and those members that say something of many pictures, which may stand behind all of these.
"""

import tarfile
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

from diptych.addresses import store_of
from diptych.curate.sources.caption_files import is_about_samples, may_be_about_many
from diptych.curate.sources.file_tree import TarTree, unpacked_name
from diptych.curate.sources.files import READ_ERRORS, is_about_content
from diptych.curate.sources.tar_layout import MemberKeys, TarRow, pictured, rows_of_cut_tar, rows_of_members
from diptych.curate.sources.tar_links import MAX_SHOWN, NO_MEMBER, LinkedMembers, TarLink
from diptych.curate.sources.tars import BehindEnd, member_content, open_tar, readable_name
from diptych.data.picture_files import NO_FILE
from diptych.storage.store_path import StorePath

NO_NAME = ""  # of the row that says of a tar why it cannot be read (on), where no other row can


class TarListing(NamedTuple):
    """The rows of a tar and where its members lie.

    Attributes:
        rows: The rows; the numbers of their members are those of files, also where links led to them.
        names: Of the members.
        places: Offset and size of the content of each member.
        sparse: What is needed to read members that are not stored as they are, by their numbers.
        tree: The members that say something of many pictures.
    """

    rows: list[TarRow]
    names: list[str]
    places: list[tuple[int, int]]
    sparse: dict[int, tarfile.TarInfo]
    tree: TarTree


class _Members:
    """What the headers of a tar say."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.sparse: dict[int, tarfile.TarInfo] = {}
        self.links: dict[int, TarLink] = {}
        self.odd: set[int] = set()  # pipes, devices
        self.about_many: dict[PurePath, bytes] = {}

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        number = len(self.names)
        if member.issparse():
            self.sparse[number] = member
        elif member.issym() or member.islnk():
            self.links[number] = TarLink(readable_name(member.linkname), member.islnk())
        elif not member.isfile():
            self.odd.add(number)
        name = readable_name(member.name)
        self.names.append(name)
        self.places.append((member.offset_data, member.size))
        path = PurePosixPath(unpacked_name(name))
        if may_be_about_many(path) and (data := member_content(tar, member)) is not None:
            self.about_many[path] = data

    def tree(self, file: str) -> TarTree:
        """Return the members that say something of many pictures; a .json beside a picture says something of that."""
        root = StorePath(file) if store_of(file) else PurePosixPath(file)
        bases = pictured(self.names) if self.about_many else ()
        kept = {path: data for path, data in self.about_many.items() if str(path.with_suffix("")) not in bases}
        return TarTree(root, {root / path: data for path, data in kept.items()}, self.names)

    def rows(self, tree: TarTree, keys: MemberKeys) -> list[TarRow]:
        linked = LinkedMembers(self.names, self.links)
        no_members = {number for number in self.links if linked.leads_to_a_folder(number)}
        no_members |= _said_of_others(tree, self.names)
        names = [NO_MEMBER if number in no_members else name for number, name in enumerate(self.names)]
        rows = rows_of_members(names, keys)
        rows = [row if row.picture is None else row._replace(file=names[row.picture]) for row in rows]
        return [self._followed(row, linked) for row in rows] if self.links or self.odd else rows

    def _followed(self, row: TarRow, linked: LinkedMembers) -> TarRow:
        """Return a row of files; a picture that is none is the problem of the row, and a text that is none is none."""
        to = {number: self._file(number, linked) for number in row.members}
        texts = tuple(number for text in row.texts if (number := to[text]) is not None)
        facts = None if row.facts is None else to[row.facts]
        picture, problem = None if row.picture is None else to[row.picture], row.problem
        if row.picture is not None and picture is None:
            link = self.links.get(row.picture)
            leads = link and f"unreadable: a link to {link.target[-MAX_SHOWN:]}, which is no file of the tar"
            problem = problem or leads or NO_FILE
        return row._replace(picture=picture, texts=texts, facts=facts, problem=problem)

    def _file(self, number: int, linked: LinkedMembers) -> int | None:
        target = linked.target(number)
        return None if target in self.odd else target


def list_tar(file: str, *, keys: MemberKeys) -> TarListing:
    """Return what is in a tar, up to where it can be read.

    Args:
        file: Its path.
        keys: What a config says of members.

    Raises:
        OSError: If the disk does not give it.
    """
    members, problem, is_whole = _Members(), None, False
    try:
        with open_tar(file) as tar:
            for member in tar.entries():
                members.add(tar, member)
    except READ_ERRORS as error:
        if not is_about_content(error):
            raise
        is_whole = isinstance(error, BehindEnd)
        problem = f"bad_row: {'the tar ends here' if members.names else 'cannot be read as tar'}: {error}"
    tree = members.tree(file)
    rows = members.rows(tree, keys)
    if problem and (is_whole or not rows):
        rows = [*rows, TarRow(NO_NAME, len(members.names), problem=problem)]
    elif problem:
        rows = rows_of_cut_tar(rows, problem)
    return TarListing(rows, members.names, members.places, members.sparse, tree)


def _said_of_others(tree: TarTree, names: Sequence[str]) -> set[int]:
    """Return the numbers of the members that say something of many pictures, so that they are none themselves."""
    if not tree.contents:
        return set()
    paths = map(tree.path, names)
    return {number for number, path in enumerate(paths) if tree.is_file(path) or is_about_samples(path, tree)}
