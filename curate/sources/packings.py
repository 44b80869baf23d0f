"""How a file is packed, told by its first bytes, whatever it is called."""

from collections.abc import Container

from diptych.storage.store_path import listed_path

PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}
START_BYTES = 4096  # that are read to tell it
ARCHIVES = ("zip", "7z", "rar")  # of many files, into which no source looks
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")  # of files of text that are read though they are packed


def packing(file: str) -> str:
    """Return how a file is packed, one of ``PACKINGS``; empty if it is not.

    Raises:
        OSError: If it cannot be read.
    """
    with listed_path(file).open("rb", buffering=START_BYTES) as handle:
        start = handle.read(max(map(len, PACKINGS)))
    return next((name for magic, name in PACKINGS.items() if start.startswith(magic)), "")


def known_packing(file: str, known: Container[str] = ()) -> str:
    """Return how a file is packed, where that is a way that is read; empty if it is not packed.

    Args:
        file: Its path.
        known: The ways that are read; none where what is in the file has to be sought.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is packed in another way.
    """
    name = packing(file)
    if name and name not in known:
        raise ValueError(f"it is packed by {name}; unpack it")
    return name
