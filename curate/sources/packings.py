"""How a file is packed, told by its first bytes, whatever it is called."""

PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")  # of files of text that are read though they are packed


def packing(file: str) -> str:
    """Return how a file is packed, one of ``PACKINGS``; empty if it is not.

    Raises:
        OSError: If it cannot be read.
    """
    with open(file, "rb") as handle:
        start = handle.read(max(map(len, PACKINGS)))
    return next((name for magic, name in PACKINGS.items() if start.startswith(magic)), "")


def refuse_packed(file: str) -> None:
    """Refuse a file that is packed, where what is in it has to be sought.

    Raises:
        ValueError: If it is.
    """
    if name := packing(file):
        raise ValueError(f"it is packed by {name}; unpack it")
