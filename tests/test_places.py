"""Who opens files by itself: ``storage/``, and those whose business other people's files are, each with its reason."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("curate", "evaluate", "generate", "reports")

# Methods of pathlib that a Location has not, or has under another name.
METHODS = {"chmod", "glob", "hardlink_to", "is_dir", "iterdir", "lstat", "mkdir", "read_bytes", "read_text", "readlink"}
METHODS |= {
    "rename",
    "rglob",
    "rmdir",
    "samefile",
    "stat",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
}
# Methods of others that write to a path, or may.
METHODS |= {"save", "save_pretrained", "to_csv", "to_parquet", "tofile"}

# Functions by their full names, however a module has imported them; a * stands for all that is not in HARMLESS.
FUNCTIONS = {"bz2.open", "codecs.open", "fcntl.*", "gzip.open", "io.open", "lzma.open", "open", "os.*", "shutil.*"}
FUNCTIONS |= {"PIL.Image.open", "sqlite3.connect", "tarfile.open", "tempfile.*", "zipfile.ZipFile"}
FUNCTIONS |= {f"numpy.{name}" for name in ("fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save", "savetxt")}
FUNCTIONS |= {"numpy.savez", "numpy.savez_compressed", "pandas.read_csv", "pandas.read_parquet", "polars.*"}
FUNCTIONS |= {"pyarrow.OSFile", "pyarrow.dataset.*", "pyarrow.memory_map", "pyarrow.parquet.*", "pyarrow.feather.*"}
FUNCTIONS |= {"safetensors.safe_open", "safetensors.torch.load_file", "safetensors.torch.save_file"}
FUNCTIONS |= {"torch.load", "torch.save"}
HARMLESS = {
    "os.close",
    "os.cpu_count",
    "os.environ.get",
    "os.environ.pop",
    "os.environ.setdefault",
    "os.fspath",
    "os.getcwd",
    "os.getpid",
}
HARMLESS |= {
    "os.getppid",
    "os.kill",
    "os.pread",
    "os.preadv",
    "os.pwrite",
    "os.sched_getaffinity",
    "os.strerror",
    "os._exit",
}
HARMLESS |= {
    "os.fsencode",
    "os.path.abspath",
    "os.path.expanduser",
    "os.path.join",
    "os.path.realpath",
    "os.path.relpath",
    "os.pathsep.join",
    "os.sysconf",
}
HARMLESS |= {"os.pipe", "os.read", "os.register_at_fork", "os.set_blocking"}
HARMLESS |= {"shutil.get_terminal_size", "shutil.which"}

# Calls that look like those of a path, and what they are.
NO_PATHS = {
    ("curate/ingest/run.py", "growing.replace"): "a shard of a growing directory",
    ("generate/run.py", "self._growing.replace"): "a shard of a growing directory",
    ("src/diptych/data/damage.py", "file.open"): "a Location",
    ("src/diptych/data/plain.py", "PIL.Image.open"): "the bytes of a picture",
    ("src/diptych/data/shards.py", "place.open"): "a Location",
    ("src/diptych/judges/answers/chat_endpoint.py", "image.save"): "a buffer in memory",
    ("src/diptych/judges/answers/paid_answers.py", "place.read"): "a Location",
    ("src/diptych/store/seal.py", "place.open"): "a Location",
}

# Modules that may, and why; folders only of those whose every module reads what other programs wrote. A dataset or a
# store is read and written by none of them but through a Location, or through a file that one has opened.
ALLOWED = {
    "src/diptych/output.py": "standard output, and nowhere in its place",
    "curate/sources": "read tables, tars and folders of other programs",
    "evaluate/inputs/image_arrays.py": "reads .npz files of other programs",
    "evaluate/inputs/named_encoders.py": "tells a folder of weights from the name of a model",
    "evaluate/inputs/npz_members.py": "reads .npz files of other programs",
    "evaluate/inputs/own_statistics.py": "writes arrays into a file that a Location opened",
    "evaluate/inputs/plain_pickle.py": "reads pickles of other programs",
    "evaluate/inputs/saved_statistics.py": "reads and writes statistics of other programs",
    "evaluate/inputs/sides.py": "reads folders of pictures",
    "generate/backends/diffusers/components.py": "looks into the folders of models",
    "generate/backends/diffusers/finding.py": "finds the folders of models",
    "generate/backends/diffusers/models.py": "reads the folders of models",
    "generate/imported/looking.py": "reads the pictures of other programs",
    "generate/imported/finding.py": "tells a folder of other programs from a table",
    "generate/pictures.py": "encodes pictures in memory",
    "generate/prompts": "read files of prompts",
    "generate/verify.py": "renders into a folder that is gone afterwards",
    "reports/build.py": "writes the folder of a report",
    "reports/read/picture_job.py": "writes pictures into the folder of a report",
    "reports/read/pictures.py": "looks which pictures the folder of a report has",
    "reports/read/stored.py": "tells whether a dataset is still where a store says",
    "reports/uploaded.py": "uploads a report that was built on this machine",
    "reports/rendering.py": "reads the files that a report brings along",
    "src/diptych/assets.py": "keeps downloads in the cache of the user",
    "src/diptych/config/load.py": "reads configs",
    "src/diptych/data/digests.py": "parses the footer of a file that a Location opened",
    "src/diptych/data/folder_walk.py": "walks through folders of other programs",
    "src/diptych/data/picture_files.py": "reads the pictures of other programs",
    "src/diptych/data/shards.py": "reads and writes Parquet through files that a Location opened",
    "src/diptych/demo/measure/outcome.py": "reads what is true of the demo web",
    "src/diptych/demo/training": "trains the models of the demo into folders of their own",
    "src/diptych/demo/world": "draws the pictures and tables of the demo web",
    "src/diptych/doctor": "looks at the machine",
    "src/diptych/encoders": "read weights and configurations of models",
    "src/diptych/init.py": "writes the config of a beginner",
    "src/diptych/jobs/ray_cluster.py": "has Ray keep its own files in a folder that is gone afterwards",
    "src/diptych/jobs/ray_worker.py": "works in the folder of who asked for it, as relative paths are meant",
    "src/diptych/judges/boxes/centre_net.py": "reads weights",
    "src/diptych/pretrained": "reads the folders of models",
    "src/diptych/processors.py": "looks at the machine",
    "src/diptych/ready_configs.py": "reads the configs that diptych brings along",
    "src/diptych/scores/aesthetic.py": "reads weights",
    "src/diptych/scores/hps_v3.py": "reads the instruction that it brings along",
    "src/diptych/scores/nsfw_mobilenet.py": "reads weights",
    "src/diptych/scores/own_file.py": "reads the file of a user's own score",
    "src/diptych/scores/weight_formats": "read weights",
    "src/diptych/storage": "is where files are opened",
    "src/diptych/store/connection.py": "hands the path of a store to DuckDB",
    "src/diptych/store/fetched.py": "keeps the copy of a store for DuckDB",
}


def package_files() -> list[Path]:
    floor = [path for path in (ROOT / "src").rglob("*.py") if path.resolve() == path]
    return sorted(floor + [path for name in FOLDERS for path in (ROOT / name).rglob("*.py")])


def direct_calls(path: Path) -> Iterator[str]:
    """Yield what a module calls that opens, lists or changes files by their paths."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    meant = dict(imported(tree))
    name_of_module = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if (name_of_module, name) not in NO_PATHS and (is_function(name, meant, node) or is_method(node)):
                yield f"line {node.lineno}: {name}"


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports, and what each stands for: ``pq`` is ``pyarrow.parquet``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.asname, one.name) for one in node.names if one.asname)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def is_function(name: str, meant: Mapping[str, str], call: ast.Call) -> bool:
    if "(" in name:
        return False
    head, dot, rest = name.partition(".")
    full = f"{meant.get(head, head)}{dot}{rest}"
    if full in {"duckdb.connect", "_duckdb.connect"}:
        return bool(call.args)  # without a path it is a database in memory
    wildcards = {f"{full.rpartition('.')[0]}.*", f"{full.partition('.')[0]}.*"}
    return full not in HARMLESS and (full in FUNCTIONS or bool(wildcards & FUNCTIONS))


def is_method(call: ast.Call) -> bool:
    """Return whether a call is one of a path, as far as its name and its arguments tell."""
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr == "replace":  # that of a text has two arguments, that of a date or a dataclass has names
        return len(call.args) == 1 and not call.keywords
    if call.func.attr == "open":  # a Store's and a job's have an argument that is no mode
        given = [one for one in call.args if not isinstance(one, ast.Constant)]
        return not given
    return call.func.attr in METHODS


def home_of(path: Path) -> str | None:
    """Return the entry of the table that a module falls under."""
    name = path.relative_to(ROOT).as_posix()
    return next((entry for entry in ALLOWED if name == entry or name.startswith(f"{entry}/")), None)


def test_nobody_else_opens_a_file_by_its_path() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(direct_calls(path)) for path in package_files() if not home_of(path)
    }
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_every_exception_is_still_needed() -> None:
    used = {home_of(path) for path in package_files() if any(direct_calls(path))}
    assert set(ALLOWED) - used == set()
    for module, call in NO_PATHS:
        assert f"{call}(" in (ROOT / module).read_text(encoding="utf-8"), (module, call)


# What must be seen, and what must not, each as a line of a module that imports what stands above it.
HEAD = """
import io, gzip, os, shutil, sqlite3, tarfile, tempfile, zipfile, fcntl
import duckdb, numpy as np, pandas as pd, PIL.Image, pyarrow as pa, pyarrow.dataset as ds, pyarrow.parquet as pq, torch
from os import replace
from pathlib import Path
from PIL import Image
from shutil import rmtree as gone
"""
DIRECT = """
Image.open(p)
PIL.Image.open(p)
Path(p).open()
duckdb.connect(p)
ds.dataset(p)
fcntl.flock(f, 2)
gone(p)
gzip.open(p)
image.save(p)
io.open(p)
np.load(p)
np.memmap(p)
np.save(p, a)
open(p)
os.link(a, b)
os.mkdir(p)
os.scandir(p)
os.truncate(p, 0)
os.unlink(p)
p.hardlink_to(q)
p.replace(q)
pa.memory_map(p)
path.open()
path.open("rb")
path.open(encoding="utf-8")
path.open(mode="wb")
path.write_text("a")
pd.read_parquet(p)
pq.ParquetFile(p)
pq.read_table(p)
pq.write_table(t, p)
replace(a, b)
shutil.copy2(a, b)
shutil.copyfile(a, b)
sqlite3.connect(p)
tarfile.open(p)
tempfile.mkstemp()
torch.load(p)
zipfile.ZipFile(p)
"""
INDIRECT = """
Store.open(path)
datetime.replace(year=1)
duckdb.connect()
job.open(report)
np.zeros(3)
os.environ.get("A", "").lower()
os.getpid()
place.read()
text.replace("a", "b")
"""


@pytest.mark.parametrize("line", DIRECT.split("\n")[1:-1])
def test_a_call_that_opens_a_file_by_its_path_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"{HEAD}{line}\n", encoding="utf-8")
    assert len(list(direct_calls(tmp_path / "module.py"))) == 1


@pytest.mark.parametrize("line", INDIRECT.split("\n")[1:-1])
def test_a_call_that_opens_none_is_let_through(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"{HEAD}{line}\n", encoding="utf-8")
    assert list(direct_calls(tmp_path / "module.py")) == []
