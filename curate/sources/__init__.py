"""Sources: where rows come from. Each names its parts, and yields tables of rows in a fixed order, whatever it reads.

Decides what the rows of an input are, and what they are known by. Decides nothing about what becomes of them.
"""

from typing import Any

from diptych.curate.sources.contract import RowSource
from diptych.curate.sources.files import readable
from diptych.lookup import resolve

# To add one: a module with a class made from its settings, a line here (alphabetical), settings in config.py, a test.
SOURCES: dict[str, str] = {
    "folder": "diptych.curate.sources.folder:FolderSource",
    "parquet": "diptych.curate.sources.parquet:ParquetSource",
    "url_table": "diptych.curate.sources.url_table:UrlTableSource",
    "webdataset": "diptych.curate.sources.webdataset:WebDatasetSource",
}


def open_source(settings: Any) -> RowSource:
    """Return the source that the settings describe; nothing is read yet.

    Raises:
        ConfigError: If there is no source of that kind.
        DataError: If the settings cannot be meant.
    """
    make = resolve(SOURCES, "source", settings.kind)
    with readable(settings.path, settings.kind):
        source: RowSource = make(settings)
        return source
