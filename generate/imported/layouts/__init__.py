"""Layouts: how programs lay images out in folders, a module each, and which of them a folder has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from diptych.errors import DataError
from diptych.generate.imported.found_images import ImportLayout, SourceFolder
from diptych.lookup import resolve

# To add one: a module with an ``ImportLayout``, a line here, a test. The first that recognises a folder has it, so that
# those that ask for more come first.
LAYOUTS: dict[str, str] = {
    "heim": "diptych.generate.imported.layouts.heim:HEIM",
    "geneval": "diptych.generate.imported.layouts.geneval:GENEVAL",
    "hpsv2": "diptych.generate.imported.layouts.hpsv2:HPSV2",
    "oneig": "diptych.generate.imported.layouts.oneig:ONEIG",
    "tifa": "diptych.generate.imported.layouts.tifa:TIFA",
    "dsg": "diptych.generate.imported.layouts.dsg:DSG",
    "dpg": "diptych.generate.imported.layouts.dpg:DPG",
    "compbench": "diptych.generate.imported.layouts.compbench:COMPBENCH",
    "stylegan": "diptych.generate.imported.layouts.stylegan:STYLEGAN",
    "folders": "diptych.generate.imported.layouts.folders:FOLDERS",
    "names": "diptych.generate.imported.layouts.names:NAMES",
    "texts": "diptych.generate.imported.layouts.texts:TEXTS",
    "any": "diptych.generate.imported.layouts.any_place:ANY_PLACE",
}
AUTO = "auto"
TABLE = "table"  # no layout: a file says of each image what it is


class ChosenLayout(NamedTuple):
    """A layout, its name, and why it is that one.

    Attributes:
        name: Of ``LAYOUTS``, or ``table``.
        layout: The layout.
        why: In words.
        unused: Columns of tables that nothing reads, and what each may be.
        notes: In words, what of the folder is not read.
    """

    name: str
    layout: ImportLayout
    why: str
    unused: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()


def choose_layout(name: str, source: SourceFolder, prompts: str = "") -> ChosenLayout:
    """Return the layout of a name; for ``auto`` the first that recognises a folder, given the prompts asked for.

    Args:
        name: Of a layout, or ``auto``.
        source: The folder.
        prompts: The kind of the prompt set that is asked for; empty for none.

    Raises:
        ConfigError: If there is none of that name.
        DataError: If the folder has no pictures, or a table is asked for.
    """
    if name == TABLE:
        raise DataError(f"{source.root}: no table at its top that names files; give the table itself")
    if not source.pictures:
        is_parquet = any(name.lower().endswith(".parquet") for name in source.names)
        how = "; pictures in Parquet are read by `diptych curate ingest`, with source: {kind: parquet}"
        said = f"{source.root}: no file there that may be a picture, of {len(source.names):,}"
        raise DataError(f"{said}{how if is_parquet else ''}")
    if name != AUTO:
        return ChosenLayout(name, resolve(LAYOUTS, "layout", name), "as the config says")
    for known in LAYOUTS:
        layout: ImportLayout = resolve(LAYOUTS, "layout", known)
        why = layout.recognise_asked.get(prompts, layout.recognise)(source)
        if why is not None:
            return ChosenLayout(known, layout, why)
    raise AssertionError("the last layout takes any folder")
