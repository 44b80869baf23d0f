"""Bodies on their way from the network to a shard, kept in a file that nobody else sees.

Rows are written in their order. One that comes late must neither stop the others nor let them fill the memory, so what
has come waits in a file, of which the operating system holds in spare memory what is wanted soon. Decides where bytes
wait; looks into none of them.
"""

import errno
import hashlib
import os
import threading
from typing import IO, NamedTuple, NoReturn

from diptych.curate.download.errors import FetchError

PIECE_BYTES = 2**18


class SpoolBlock(NamedTuple):
    """Where in the file a piece lies."""

    number: int
    size: int


class Spool:
    """Keeps pieces of at most ``PIECE_BYTES``; safe to use from many threads.

    The file has blocks of that size, which are used again, so that it grows to what waits at one time and no further.
    It is sparse: a small piece takes no more of the disk than it has bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Keep pieces in ``file``, open for reading and writing, which ``close`` closes."""
        self.failure: OSError | MemoryError | RuntimeError | None = None
        self._file = file
        self._free: list[int] = []
        self._blocks = 0
        self._lock = threading.Lock()

    def put(self, piece: bytes) -> SpoolBlock:
        """Keep a piece.

        Raises:
            FetchError: ``internal`` if the disk refuses; ``failure`` then says why.
        """
        with self._lock:
            number = self._free.pop() if self._free else self._blocks
            self._blocks = max(self._blocks, number + 1)
        try:
            if os.pwrite(self._file.fileno(), piece, number * PIECE_BYTES) < len(piece):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self.failure = error
            raise FetchError("internal", f"the disk refuses what has come: {error}") from error
        return SpoolBlock(number, len(piece))

    def get(self, block: SpoolBlock) -> bytes:
        """Return a piece.

        Raises:
            OSError: If the disk has not all of it any more.
        """
        piece = os.pread(self._file.fileno(), block.size, block.number * PIECE_BYTES)
        return piece if len(piece) == block.size else _gone()

    def get_into(self, block: SpoolBlock, room: memoryview) -> None:
        """Read a piece into ``room``, which has its size; raises as ``get`` does."""
        if os.preadv(self._file.fileno(), [room], block.number * PIECE_BYTES) < block.size:
            _gone()

    def drop(self, block: SpoolBlock) -> None:
        """Give the room of a piece to others."""
        with self._lock:
            self._free.append(block.number)

    def close(self) -> None:
        """Give up the file."""
        self._file.close()


class Body:
    """What came for one URL.

    Attributes:
        size: Its bytes.
        uses: How often it will be taken.
    """

    def __init__(self, spool: Spool) -> None:
        """Begin with nothing."""
        self.size = 0
        self.uses = 1
        self._spool = spool
        self._digest = hashlib.sha256()
        self._blocks: list[SpoolBlock] = []

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._digest.hexdigest()

    def add(self, piece: bytes) -> None:
        """Go on with a piece.

        Raises:
            FetchError: ``internal`` if the disk refuses.
        """
        self._blocks.append(self._spool.put(piece))
        self._digest.update(piece)
        self.size += len(piece)

    def read(self) -> bytes:
        """Return the bytes.

        Raises:
            OSError: If the disk refuses.
        """
        return b"".join(map(self._spool.get, self._blocks))

    def take_into(self, room: memoryview) -> None:
        """Read the bytes into ``room``, which has their size; after the last use they are here no more.

        Raises:
            OSError: If the disk refuses.
        """
        assert self.uses > 0, "taken more often than it is used"
        at = 0
        for block in self._blocks:
            self._spool.get_into(block, room[at : at + block.size])
            at += block.size
        self.uses -= 1
        if self.uses <= 0:
            self.drop()

    def drop(self) -> None:
        """Let the bytes go."""
        for block in self._blocks:
            self._spool.drop(block)
        self._blocks.clear()


def _gone() -> NoReturn:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
