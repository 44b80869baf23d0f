"""A score from the user's own Python file, named ``path/to/file.py:factory`` in a config or on the command line.

The very bytes whose sha256 stands in the identity are the ones that run, in every worker; the file's other imports are
those of the environment. Decides nothing about what the score does: it is one like any other.
"""

import hashlib
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.assets import named_path
from diptych.config.identity import fingerprint
from diptych.config.options import call_with_options
from diptych.data.schema import ARROW_TYPES
from diptych.encoders import Encoder
from diptych.errors import ConfigError, DiptychError, OwnScoreError, named_line, one_line
from diptych.lookup import describe_unknown
from diptych.scores import OWN_FILE, Column, Reads, Score, encoder_of, looks_of
from diptych.scores.batches import Batch
from diptych.scores.looks import Look

MEMBERS = ("identity", "columns", "reads", "score")  # what every score has


class OwnFile(NamedTuple):
    """A factory in a file, and the sha256 (hex) of the file."""

    factory: Callable[..., Any]
    sha256: str


@dataclass(frozen=True, eq=False)
class OwnFileScore:
    """A score that a user's factory made, with its file in the identity.

    Attributes:
        name: As the config has it.
        made: What the factory made.
        origin: Facts of the identity that the score need not say itself: file, factory and options.
    """

    name: str
    made: Score
    origin: Mapping[str, Any]

    @property
    def identity(self) -> Mapping[str, Any]:
        """What the score says of itself, the file's sha256, the factory and its options."""
        return {**self.made.identity, "own_file": self.origin}

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it writes."""
        return self.made.columns

    @property
    def reads(self) -> frozenset[Reads]:
        """What of a batch it looks at."""
        return self.made.reads

    @property
    def encoder(self) -> Encoder | None:
        """The encoder whose vectors it uses, if it reads any."""
        return encoder_of(self.made)

    @property
    def looks(self) -> tuple[Look[Any], ...]:
        """What it asks of judges, if it reads evidence."""
        return looks_of(self.made)

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return one array of ``len(batch)`` per column.

        Raises:
            OwnScoreError: If the score raises, or an array is missing, has another length or holds something else.
            DiptychError: If something of diptych refuses that the score asks.
        """
        where = f"score {self.name!r}"
        try:
            values = self.made.score(batch)
        except DiptychError:
            raise
        except (Exception, SystemExit) as error:
            said = (
                f"{_place(self.name, error)}: {where}: raises {named_line(error)}; diptych --debug shows the traceback"
            )
            raise OwnScoreError(said) from error
        if not isinstance(values, Mapping):
            raise OwnScoreError(f"{where}: returned {type(values).__name__}; a dict of an array per column is needed")
        for column in self.columns:
            if column.name not in values:
                raise OwnScoreError(f"{where}: returned no column {column.name!r}, only {', '.join(map(str, values))}")
        kinds = {**{column.name: column.dtype for column in self.columns}, "reason": "string"}
        return {
            name: _array(array, kinds.get(name), len(batch), f"{where}: {name!r}") for name, array in values.items()
        }


def _array(values: Any, dtype: str | None, count: int, where: str) -> npt.NDArray[Any]:
    """Return what a score gave for a column as an array of ``count`` values that can be stored as ``dtype``."""
    try:
        array = np.asarray(values)
        if array.shape[:1] != (count,):
            raise OwnScoreError(f"{where} has {array.size} values for a batch of {count}")
        if dtype is not None:
            pa.array(array, ARROW_TYPES[dtype], from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise OwnScoreError(f"{where} is no column of {dtype}: {one_line(error)}") from error
    return array


def own_score(name: str, options: Mapping[str, Any]) -> OwnFileScore:
    """Build the score of ``path/to/file.py:factory``.

    Args:
        name: File and factory; a relative path starts where the command runs, as every path in a config does.
        options: Of the factory; ``encoder`` and ``judge`` among them are those objects themselves.

    Raises:
        ConfigError: If the file cannot be read or raises, has no such factory, an option does not fit, or what the
            factory returns is no score.
    """
    own, where = read_own_file(name), f"score {name!r}"
    try:
        made = call_with_options(own.factory, options, where=where)
        _check(made, where)  # its members may be properties, which raise as well
    except DiptychError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{_place(name, error)}: {where}: the factory raises {named_line(error)}") from error
    given = {key: _identified(value) for key, value in sorted(options.items())}
    origin = {"sha256": own.sha256, "factory": _parts(name)[1], "options": given}
    return OwnFileScore(name, cast("Score", made), origin)


def read_own_file(name: str) -> OwnFile:
    """Run the file of ``path/to/file.py:factory`` and return the factory.

    Raises:
        ConfigError: If the file cannot be read or raises, or has no such factory.
    """
    path, factory = _parts(name)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"score {name!r}: {path.absolute()} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(source).hexdigest()
    module = types.ModuleType(f"own_score_{sha256}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look up the names of their annotations
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise ConfigError(f"{_place(name, error)}: score {name!r}: the file raises {named_line(error)}") from error
    found = vars(module).get(factory)
    if not callable(found):
        own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        raise ConfigError(f"score {name!r}: {describe_unknown('factory', factory, own)}")
    return OwnFile(found, sha256)


def _parts(name: str) -> tuple[Path, str]:
    own = OWN_FILE.fullmatch(name)
    assert own is not None, name
    return named_path(own["path"]), own["factory"]


def _place(name: str, error: BaseException) -> str:
    """Return the file and the deepest line of it that an error comes from."""
    path = str(_parts(name)[0])
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    trace = error.__traceback__
    while trace is not None and not isinstance(error, SyntaxError):
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == path else line
        trace = trace.tb_next
    return path if line is None else f"{path}:{line}"


def _identified(value: Any) -> Any:
    """Return an option as the identity has it: an encoder or a judge by its own identity."""
    return dict(value.identity) if hasattr(value, "identity") else value


def _check(made: Any, where: str) -> None:
    """Raise if what a factory returned is no score."""
    if isinstance(made, type):
        raise ConfigError(
            f"{where}: the factory returned the class {made.__name__}, not a score; return {made.__name__}()"
        )
    missing = [name for name in MEMBERS if not hasattr(made, name)]
    if missing:
        raise ConfigError(f"{where}: the factory returned {type(made).__name__}, which has no {', '.join(missing)}")
    _check_kinds(made, where)
    known = set(get_args(Reads))
    unknown = sorted(set(made.reads) - known)
    if unknown:
        raise ConfigError(f"{where}: reads: {describe_unknown('part of a row', unknown[0], known)}")
    for part, member in (("embedding", "encoder"), ("evidence", "looks")):
        if part in made.reads and not hasattr(made, member):
            raise ConfigError(f"{where}: reads {part}, but has no {member}")
    names = [column.name for column in made.columns]
    folded = {name.casefold() for name in names}  # which are one to SQL
    if not names or len(folded) < len(names) or {"key", "reason"} & folded:
        raise ConfigError(f"{where}: its columns are {names}; each needs a name of its own, and not key or reason")
    for column in made.columns:
        if column.dtype not in ARROW_TYPES:
            raise ConfigError(
                f"{where}: column {column.name!r}: {describe_unknown('dtype', column.dtype, ARROW_TYPES)}"
            )
    try:
        fingerprint(dict(made.identity))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: its identity is no JSON: {one_line(error)}") from error


def _check_kinds(made: Any, where: str) -> None:
    """Raise if a member of a score is of another kind than every score has."""
    lists = (tuple, list, set, frozenset)
    if not isinstance(made.reads, lists):
        raise ConfigError(f"{where}: reads is {made.reads!r}; a set is needed, such as frozenset({{'pixels'}})")
    if not isinstance(made.columns, lists) or not all(isinstance(column, Column) for column in made.columns):
        raise ConfigError(f"{where}: its columns are {made.columns!r}; a tuple of diptych.scores.Column is needed")
    if not callable(made.score):
        raise ConfigError(f"{where}: score is {made.score!r}; a method that takes a batch is needed")
