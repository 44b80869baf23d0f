"""Files that are one JSON value, with a message that says where they break."""

from pathlib import Path
from typing import Any

from diptych.data.text_records import whole_json
from diptych.errors import DataError


def json_file(text: str, file: Path) -> Any:
    """Return the value of a file.

    Raises:
        DataError: If it is no JSON.
    """
    try:
        return whole_json(text)
    except ValueError as error:
        raise DataError(f"{file}: not JSON: {str(error).removeprefix('not JSON: ')}") from error
