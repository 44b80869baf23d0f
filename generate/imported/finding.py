"""The images of a source: those that its tables name, or those that the layout of the folder finds."""

from typing import NoReturn

from diptych.errors import DataError
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.found_images import FoundImage, SourceFolder, list_folder
from diptych.generate.imported.layouts import AUTO, TABLE, ChosenLayout, choose_layout
from diptych.generate.imported.layouts.any_place import ANY_PLACE
from diptych.generate.imported.layouts.heim import STATE
from diptych.generate.imported.layouts.texts import TEXTS, texts_beside
from diptych.generate.imported.own_tables import OwnTables, images_of_tables, own_tables, shown_tables
from diptych.generate.imported.tables import SUFFIXES, TableImages
from diptych.generate.imported.told_grids import tiles_of, told_grids
from diptych.progress.wording import quantity
from diptych.storage.store_path import ReadPath, read_path


def find_images(config: ImportConfig) -> tuple[SourceFolder, ChosenLayout, list[FoundImage]]:
    """Return the folder of a config, its layout, and the images in it.

    Raises:
        DataError: If the source cannot be read, or is neither a folder nor a table.
    """
    given = read_path(config.source)
    is_table = given.suffix.lower() in SUFFIXES and not given.is_dir()
    if not is_table and given.is_file():
        _refuse_file(given)
    source = list_folder(given.parent if is_table else given)
    if is_table:
        tables = OwnTables((given.name,), ())
    else:
        tables = own_tables(source) if config.layout in (AUTO, TABLE) else OwnTables((), ())
    notes = _unread_tables(tables)
    try:
        told = images_of_tables(source, tables.read, config) if tables.read else None
    except DataError as error:
        if is_table or config.layout == TABLE or len(tables.read) == 1 or any("/" in name for name in tables.read):
            raise
        told, notes = None, (f"tables not read: {error}",)  # results of the images, perhaps, or of others
    prompts = config.prompts.kind if config.prompts is not None else ""
    if told is not None:
        layout, images = _told_layout(source, tables, told, prompts if config.layout == AUTO else None)
        return source, layout._replace(notes=notes), images
    layout = choose_layout(config.layout, source, prompts)
    notes = (*notes, *(_unread_texts(source, layout) if config.layout == AUTO else ()))
    return source, layout._replace(notes=notes), list(layout.layout.images(source))


def _refuse_file(given: ReadPath) -> NoReturn:
    how = "give the folder of images, or a table that names them (.csv, .tsv, .jsonl)"
    if given.name == STATE:
        how = "give the folder that it lies in"
    elif given.suffix.lower() == ".json":
        how = "save it as .jsonl, an object in each line, or give the folder of images"
    raise DataError(f"{given}: is neither a folder nor a table of images; {how}")


def _told_layout(
    source: SourceFolder, tables: OwnTables, told: TableImages, prompts: str | None
) -> tuple[ChosenLayout, list[FoundImage]]:
    """Return the images that tables name, each tile of a grid by itself where the folder is one of grids.

    Args:
        source: The folder.
        tables: Its tables.
        told: What they say.
        prompts: The kind of the prompt set that is asked for; None where each file is one image.
    """
    why = f"{shown_tables(tables.read)} {'names' if len(tables.read) == 1 else 'name'} the files"
    grids = told_grids(source, told.images, prompts) if prompts is not None else None
    if grids is None:
        return ChosenLayout(TABLE, ANY_PLACE, why, told.unused), told.images
    place = ANY_PLACE._replace(grid=grids.layout.grid, benchmark=grids.layout.benchmark)
    chosen = ChosenLayout(TABLE, place, f"{why}, and {grids.why}", told.unused)
    return chosen, tiles_of(told.images, grids, source)


def _unread_tables(tables: OwnTables) -> tuple[str, ...]:
    if not tables.unread:
        return ()
    many = f"{quantity(len(tables.unread), 'table')} that {'names' if len(tables.unread) == 1 else 'name'} files"
    how = "called metadata, such a table in a folder is read, or give one as the source"
    return (f"{many}, not read: {shown_tables(tables.unread)}; {how}",)


def _unread_texts(source: SourceFolder, layout: ChosenLayout) -> tuple[str, ...]:
    found = texts_beside(source) if layout.layout is not TEXTS else []
    if not found:
        return ()
    return (
        f"{quantity(len(found), 'text')} beside pictures, such as that of {found[0]}, not read; "
        f"--layout texts reads what they say",
    )
