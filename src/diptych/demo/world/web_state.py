"""Where a demo web was served and how many rows it has, so that a later run serves it again at the same addresses."""

from pathlib import Path

from diptych.errors import ConfigError

STATE = "web.json"
TABLE = "urls.parquet"


def port_of(folder: Path, rows: int, *, whole: Path) -> int:
    """Return the port that the tables of an earlier run name; 0 where there was none.

    Args:
        folder: Of the web: its tables and the note beside them.
        rows: Of the web that is to be served.
        whole: Directory of the run that the web belongs to, which the messages name.

    Raises:
        ConfigError: If that web has another number of rows, or the note is missing or of something else.
        ShardError: If the note cannot be read, or the folder lies inside a dataset or a report.
    """
    from diptych.data.claims import check_apart
    from diptych.storage.json_objects import read_json
    from diptych.storage.location import Location

    check_apart(Location.at(folder))
    state = folder / STATE
    if not state.is_file():
        if (folder / TABLE).is_file():
            raise ConfigError(f"{folder}: a table of URLs without {STATE}, so its port is not known; delete {whole}")
        return 0
    known = read_json(state)
    port, before = known.get("port"), known.get("rows")
    if type(port) is not int or type(before) is not int:
        raise ConfigError(f"{state}: names no port and rows; delete {whole}")
    if before != rows:
        raise ConfigError(f"{folder} is a demo web of {before} rows, not {rows}; give another --out, or {before} rows")
    return port


def remember(folder: Path, port: int, rows: int) -> None:
    """Note a web, before its tables are written."""
    from diptych.storage.json_objects import write_json

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / STATE, {"port": port, "rows": rows})
