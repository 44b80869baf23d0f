"""Formats of files of statistics that can be written, by the names of the programs that read them."""

from pathlib import PurePath
from typing import NamedTuple

from diptych.addresses import Address
from diptych.errors import ConfigError

OWN = "diptych.evaluate.inputs.own_statistics"
WRITERS = "diptych.evaluate.inputs.saved_statistics"


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        ending: Of its name.
        writer: Module and function that write it, of a file and of the same images by each encoder.
        needs_spatial: Whether it holds a second pair of moments, of the spatial layer of Inception.
        holds_several: Whether it holds the images by several encoders.
    """

    ending: str
    writer: str
    needs_spatial: bool = False
    holds_several: bool = False


# To add one: a line here (alphabetical behind our own), a function, and what tells its files in ``read_statistics``.
FORMATS: dict[str, Format] = {
    "diptych": Format(".npz", f"{OWN}:write_own", holds_several=True),
    "adm": Format(".npz", f"{WRITERS}:write_adm", needs_spatial=True),
    "clean_fid_kid": Format(".npz", f"{WRITERS}:write_clean_fid_kid"),
    "cmmd": Format(".npy", f"{WRITERS}:write_cmmd"),
    "edm2": Format(".pkl", f"{WRITERS}:write_edm2"),
    "moments": Format(".npz", f"{OWN}:write_moments", holds_several=True),
    "pytorch_fid": Format(".npz", f"{WRITERS}:write_pytorch_fid"),
}


def format_of(path: Address, name: str | None) -> Format:
    """Return the format of a file to be written: the one of a name, else the first that ends as the file does.

    >>> format_of("photographs.npy", None).ending
    '.npy'

    Raises:
        ConfigError: If there is none, or the name of the file ends otherwise.
    """
    ending = PurePath(path).suffix
    if name is not None:
        wanted = FORMATS[name]
        if ending != wanted.ending:
            raise ConfigError(f"--out {path}: a file of {name} ends in {wanted.ending}")
        return wanted
    found = next((each for each in FORMATS.values() if ending == each.ending), None)
    if found is None:
        endings = ", ".join(dict.fromkeys(each.ending for each in FORMATS.values()))
        raise ConfigError(f"--out {path}: files of statistics end in {endings}")
    return found
