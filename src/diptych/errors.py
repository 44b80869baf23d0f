"""Every error that diptych raises on purpose.

    DiptychError
    |-- ConfigError      a configuration file or an option is wrong
    |-- DataError        the user's data is not what it should be
    |   |-- OwnScoreError  a score of the user's own raises, or returns what no score returns
    |   |-- ShardError   a dataset directory or one of its shards is damaged or belongs to something else
    |   |-- OtherVersion a dataset directory is of another version of the format, and nobody writes into it
    |   `-- DecodeError  the bytes of one image cannot be turned into pixels; carries a code from a closed list
    |-- StoreError       the results database refuses
    |   `-- StoreInUse   another process uses it; later it may not
    |-- Shortage         the machine has no more memory, disk, open files or threads; nothing is wrong with the data
    `-- MissingExtra     a part of diptych is not installed; names the exact install command

A message says what is wrong (with the value), where (file, row or config path) and what to do: a line for each problem.
The command line turns a DiptychError into these lines and an exit code, see ``diptych.failures``; anything else is a
bug and keeps its traceback. For example::

    try:
        dataset = shards.open_dataset(path)
    except DiptychError as error:
        print(error)
"""

import re

MAX_SAID = 200  # characters of another library's words that a message repeats
FULL_STOP = re.compile(r"(?<!\.)\.$")  # but not that of "..."
# What DuckDB says behind what happened: which of its settings to change, and nobody who runs diptych reaches them.
OTHERS_ADVICE = re.compile(r"\.? *(Possible solutions:|This limit was set by the ').*")
SENTENCE_END = re.compile(r"(?<=[\w)\]'\"])\. (?=[A-Z])")


class DiptychError(Exception):
    """Base class of all errors that a user can cause and mend."""


class ConfigError(DiptychError):
    """A configuration file, an override or a name in it is wrong."""


class DataError(DiptychError):
    """The user's data is not what it should be."""


class ShardError(DataError):
    """A dataset directory or one of its shards is damaged, incomplete or made from something else."""


class OtherVersion(DataError):
    """A dataset directory is of another version of the format: it is whole, and so no ``ShardError`` to be mended."""


class OwnScoreError(DataError):
    """A score of the user's own raises, or returns what no score returns."""


class DecodeError(DataError):
    """The bytes of one image cannot be turned into pixels.

    Attributes:
        code: One of ``diptych.data.images.DECODE_CODES``.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """Keep the code apart from the human-readable detail."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type["DecodeError"], tuple[str, str]]:
        """Survive the way back from a worker process."""
        return type(self), (self.code, self.detail)


class StoreError(DiptychError):
    """The results database cannot be opened, migrated or written."""


class StoreInUse(StoreError):
    """Another process, or another connection of this one, uses the results database."""


class Shortage(DiptychError):
    """The machine has no more of something; what is finished is kept, and a rerun goes on. See ``diptych.shortage``."""


def install_command(extra: str) -> str:
    """Return the command that installs a part of diptych: from a clone, since it is in no index.

    >>> install_command("evaluate")
    "pip install './diptych[evaluate]' beside the clone"
    """
    return f"pip install './diptych[{extra}]' beside the clone"


class MissingExtra(DiptychError):
    """A part of diptych is not installed."""

    def __init__(self, extra: str, module: str) -> None:
        """Name the exact command that installs what is missing."""
        super().__init__(f"{module!r} is not installed; it comes with: {install_command(extra)}")
        self.extra = extra
        self.module = module

    def __reduce__(self) -> tuple[type["MissingExtra"], tuple[str, str]]:
        """Survive the way back from a worker process."""
        return type(self), (self.extra, self.module)


def first_line(error: BaseException) -> str:
    """Return the first line of what another library says; behind the name of its error where that is no sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _with_name(lines[0] if lines else "", error)


def one_line(error: BaseException) -> str:
    r"""Return what another library says in one line of at most 200 characters, without its colours and last full stop.

    Of a longer text it is the whole sentences that fit; of a first sentence that does not, the whole words and "...".
    The name of the error stands before what has no word, or is a mere key.

    >>> one_line(ValueError("no \x1b[31msuch\x1b[0m\n  key."))
    'no such key'
    >>> one_line(ValueError("The file is not in the cache. Please check your connection" + ", and try again" * 20))
    'The file is not in the cache'
    >>> one_line(ValueError("could not allocate 8 bytes\n\nPossible solutions:\n* Reducing the number of threads"))
    'could not allocate 8 bytes'
    >>> one_line(KeyError("id")), one_line(ValueError(7)), one_line(EOFError())
    ("KeyError: 'id'", 'ValueError: 7', 'EOFError')
    """
    return _cut(_with_name(_in_one_line(error), error))


def named_line(error: BaseException) -> str:
    """Return ``one_line`` of somebody's code, behind the name of the error whatever it says.

    >>> named_line(ValueError("no such key.")), named_line(KeyError("id")), named_line(EOFError())
    ('ValueError: no such key', "KeyError: 'id'", 'EOFError')
    """
    return _cut(_named(_in_one_line(error), error))


def _in_one_line(error: BaseException) -> str:
    return OTHERS_ADVICE.sub("", " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split()))


def _with_name(text: str, error: BaseException) -> str:
    tells = re.search(r"[^\W\d_]", text) and not isinstance(error, KeyError)
    return text if tells else _named(text, error)


def _named(text: str, error: BaseException) -> str:
    return ": ".join(filter(None, [type(error).__name__, text]))


def _cut(text: str) -> str:
    if len(text) <= MAX_SAID:
        return FULL_STOP.sub("", text)
    ends = [end.start() for end in SENTENCE_END.finditer(text, 0, MAX_SAID + 2)]
    return text[: ends[-1]] if ends else f"{text[: MAX_SAID - 3].rpartition(' ')[0] or text[: MAX_SAID - 3]}..."
