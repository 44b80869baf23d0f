"""Tars, read to their end: what is damaged or cut is said, and tars that were appended to each other are all read.

The library takes a damaged header, a cut one and the end of the file alike for the end of the tar, so that whatever
would have come behind it is missing without a word. A tar has ended where its mark is, blocks of zeros.
"""

import tarfile
from collections.abc import Iterator
from tarfile import EmptyHeaderError, EOFHeaderError, SubsequentHeaderError  # type: ignore[attr-defined]  # not declared
from typing import IO, Self

from diptych.curate.sources.files import READ_ERRORS, is_about_content
from diptych.curate.sources.packings import known_packing
from diptych.storage.store_path import listed_path

SUFFIXES = tuple(
    f".{name}" for name in ("tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tbz", "tar.xz", "txz", "tar.zst", "tzst")
)
MODES = {"gzip": "gz", "bzip2": "bz2", "xz": "xz"}  # what ``tarfile`` calls the packings that it reads


class BehindEnd(tarfile.ReadError):
    """What lies behind the end of a tar cannot be read; the tar itself is whole."""


class _Header(tarfile.TarInfo):
    @classmethod
    def fromtarfile(cls, tar: "Tar") -> Self:  # type: ignore[override]  # its attributes are set by Tar alone
        try:
            header = super().fromtarfile(tar)
        except EOFHeaderError:
            tar.is_closed = True
            raise
        except SubsequentHeaderError:
            tar.is_closed = False  # the mark of the end stands where a name should
            raise
        except EmptyHeaderError:
            if tar.is_closed:
                raise
            raise tarfile.ReadError("the mark of its end is missing") from None
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        tar.is_closed = False
        return header


class Tar(tarfile.TarFile):
    """A file of one tar, or of several that are read as one.

    Attributes:
        is_closed: Whether the last that was read is the mark of its end.
        handle: The file; closed with the tar.
    """

    tarinfo = _Header
    ignore_zeros = True
    is_closed = False
    handle: IO[bytes] | None = None

    def close(self) -> None:
        """Close the tar, and the file that it was opened from."""
        super().close()
        if self.handle is not None:
            self.handle.close()

    def __exit__(self, *_: object) -> None:
        """Close both, whatever was raised; the library would leave the file open."""
        self.close()

    def entries(self) -> Iterator[tarfile.TarInfo]:
        """Yield the members that are no folders, in order: files, links, pipes and what else there may be.

        Raises:
            BehindEnd: If a tar ends as it should, and cannot be read on from there.
            TarError: If a tar is damaged or cut; what was yielded before is whole but for the content of the last.
        """
        try:
            while (member := self.next()) is not None:
                self.members: list[tarfile.TarInfo] = []  # else it keeps every member that it has passed
                if not member.isdir():
                    yield member
        except READ_ERRORS as error:
            if self.is_closed:
                raise BehindEnd(f"what is behind its end cannot be read: {error}") from error
            raise


def readable_name(name: str) -> str:
    r"""Return the name of a member; one that is no UTF-8 is taken for Latin-1, so that two of them stay two.

    >>> readable_name("b\udcf6se.jpg"), readable_name("böse.jpg")
    ('böse.jpg', 'böse.jpg')
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def open_tar(file: str) -> Tar:
    """Open a tar, packed or not; closing it closes the file.

    Raises:
        OSError: If the file cannot be read.
        TarError: If it is no tar.
        ValueError: If it is packed in a way that is not read.
    """
    packed = known_packing(file, MODES)
    handle = listed_path(file).open("rb")
    try:
        # As a file: a packed one that is opened as a stream is read up to the end of its first block, and unchecked.
        tar: Tar = Tar.open(file, f"r:{MODES.get(packed, '')}", handle)  # type: ignore[call-overload]
    except BaseException:
        handle.close()
        raise
    tar.handle = handle
    return tar


def member_content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    """Return the content of a member, None where the tar ends within it.

    Raises:
        OSError: If the disk does not give it.
    """
    try:
        handle = tar.extractfile(member)
        return handle.read() if handle else None
    except READ_ERRORS as error:
        if not is_about_content(error):
            raise
        return None
