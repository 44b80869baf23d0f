r"""The Python API: datasets as Arrow, pandas and PIL, scores over them, the jobs of configs, results as tables.

What a notebook needs, in a few lines; the command line does the same and more. Nothing here decides anything: each
function calls what the command of its name calls. The packages ``diptych.curate``, ``diptych.evaluate`` and so on keep
their names, so the functions are called after what they do: ``run_curation``, ``run_evaluation``.

With more than one worker, worker processes first import the script that calls; so what a script does has to stand under
``if __name__ == "__main__":``, as with everything that uses ``multiprocessing``. A notebook needs none.

    >>> import tempfile, diptych
    >>> from pathlib import Path
    >>> from diptych.demo.world.held_out import write_held_out
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_held_out(folder / "pictures", 3, progress="none")
    >>> config = folder / "curate.yaml"
    >>> source = f"{{kind: folder, path: {folder / 'pictures'}}}"
    >>> _ = config.write_text(f"job: curate\nsource: {source}\nscores: {{stats: {{score: image_stats}}}}\n")
    >>> kept = diptych.run_curation(config, folder / "run")
    >>> kept
    <diptych dataset of 3 rows: pairs 'dataset'>
    >>> kept.pandas("width", "height").values.tolist()
    [[64, 64], [64, 64], [64, 64]]
    >>> kept.image(0).size
    (64, 64)
    >>> pool = diptych.score(folder / "run" / "pool", {"words": "caption_stats"})
    >>> pool.arrow("words.caption_words")["words.caption_words"].null_count
    0
    >>> len(pool.query("key", where="stats.sharpness >= 0"))
    3
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from diptych.addresses import Address, place_of
from diptych.config.load import load
from diptych.config.places import causes, what_is_wrong
from diptych.data.claims import claimed
from diptych.data.column_names import label_problem
from diptych.data.dataset import open_dataset as open_directory
from diptych.data.open_dataset import OpenDataset
from diptych.data.table import open_table
from diptych.errors import ConfigError
from diptych.jobs.engine import Engine
from diptych.scores import known_score
from diptych.scores.choices import EncoderChoice, JudgeChoice, ScoreChoice
from diptych.scores.plan import ScorePlan, Spec
from diptych.scores.run import score_dataset
from diptych.storage.locks import only_one
from diptych.storage.store_path import ReadPath, read_path
from diptych.store.store import Store

__all__ = [
    "OpenDataset",
    "Store",
    "build_report",
    "open_dataset",
    "open_store",
    "run_curation",
    "run_evaluation",
    "run_generation",
    "score",
]

# Label -> a name, a name and its options, or what a config has there.
Specs = Mapping[str, str | Spec | Mapping[str, Any]]


def open_dataset(address: Address) -> OpenDataset:
    """Open a dataset directory with its scores and decisions; reads no row yet.

    Raises:
        DataError: If the address has a scheme that is no store's.
        ShardError: If there is no finished dataset, or it is damaged.
    """
    return OpenDataset(open_table(open_directory(address)))


def score(
    address: Address,
    scores: Specs,
    *,
    encoders: Specs | None = None,
    judges: Specs | None = None,
    workers: int = 1,
    progress: str = "none",
) -> OpenDataset:
    """Compute what is missing of some scores over a dataset directory, and open it.

    Args:
        address: The dataset directory.
        scores: Label -> the name of a score, or name and options; the options ``encoder`` and ``judge`` hold labels; or
            what a config has there: ``{"score": name, "encoder": label, "options": {...}}``.
        encoders: Label -> the kind of an encoder, kind and options, or what a config has.
        judges: The same of judges.
        workers: Processes; more than one need the guard, see above.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name or an option is wrong.
        ShardError: If the dataset is unfinished or damaged, or somebody writes there.
    """
    built = _specs(encoders or {}, "encoders", EncoderChoice), _specs(scores, "scores", ScoreChoice)
    if problem := label_problem(scores):
        raise ConfigError(f"scores: {problem}")
    plan = ScorePlan(*built, judges=_specs(judges or {}, "judges", JudgeChoice))
    # Opened first: nothing is locked, and so made, where there is no dataset.
    with only_one(open_directory(address).written):
        score_dataset(address, plan.needed(), engine=Engine(workers), progress=progress)
    return open_dataset(address)


def open_store(address: Address) -> Store:
    """Open a store of results for reading; ``store.arrow(SQL)`` gives tables. From an object store it is fetched whole.

    Raises:
        DataError: If it lies in an object store, and that refuses.
        StoreError: If there is none, or it is damaged.
    """
    return Store.open(address, read_only=True)


def run_curation(
    config: Address, out: Address, *, overrides: Sequence[str] = (), workers: int = 1, progress: str = "none"
) -> OpenDataset:
    """Do all steps of a curation config; return the rows that were kept. What is done already is not done again.

    Args:
        config: A YAML file with ``job: curate``.
        out: Directory of the run.
        overrides: ``key.subkey=value`` strings.
        workers: Processes; more than one need the guard, see above.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: One line that says what is wrong; what is done is kept.
    """
    from diptych.curate.config import CurateConfig
    from diptych.curate.run import STEPS, CurateRunner

    runner = CurateRunner(load(read_path(config), CurateConfig, overrides), place_of(out), Engine(workers), progress)
    runner.check()
    with runner.alone():
        for step in STEPS:
            runner.run(step)
    return open_dataset(runner.selected)


def run_generation(
    config: Address, out: Address, *, overrides: Sequence[str] = (), workers: int = 1, progress: str = "none"
) -> OpenDataset:
    """Make the images of a generation config; return them. What is made already is not made again.

    Args:
        config: A YAML file with ``job: generate``.
        out: The dataset directory.
        overrides: ``key.subkey=value`` strings.
        workers: Processes; more than one need the guard, see above.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: One line that says what is wrong; what is made is kept.
    """
    from diptych.generate.config import GenerateConfig
    from diptych.generate.growth import STEP
    from diptych.generate.plan import make_plan
    from diptych.generate.run import generate

    loaded, place = load(read_path(config), GenerateConfig, overrides), place_of(out)
    plan = make_plan(loaded, with_weights=True, progress=progress)
    with claimed(place, STEP):
        generate(plan, place, engine=Engine(workers), progress=progress)
    return open_dataset(place)


def run_evaluation(
    config: Address, *, overrides: Sequence[str] = (), workers: int = 1, progress: str = "none"
) -> pa.Table:
    """Do what an evaluation config says and write it into its store; return the results of the run as a table.

    Args:
        config: A YAML file with ``job: evaluate``.
        overrides: ``key.subkey=value`` strings.
        workers: Processes; more than one need the guard, see above.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: One line that says what is wrong; what is scored is kept.
    """
    from diptych.evaluate.config import EvaluateConfig
    from diptych.evaluate.run import EvaluateRunner

    loaded = load(read_path(config), EvaluateConfig, overrides)
    outcome = EvaluateRunner(loaded, Engine(workers), progress).run()
    with open_store(loaded.store) as store:
        return store.arrow("SELECT * FROM v_results WHERE run_id = ? ORDER BY ALL", [outcome.run_id])


def build_report(
    config: Address, out: Address, *, overrides: Sequence[str] = (), workers: int = 1, progress: str = "none"
) -> ReadPath:
    """Write the report that a config describes; return its first page.

    Args:
        config: A YAML file with ``job: report``.
        out: The folder of the report.
        overrides: ``key.subkey=value`` strings.
        workers: Processes that make pictures; more than one need the guard, see above.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: One line that says what is wrong.
    """
    from diptych.reports import build
    from diptych.reports.config import ReportConfig

    loaded = load(read_path(config), ReportConfig, overrides)
    return build.build_report(loaded, place_of(out), engine=Engine(workers), progress=progress).index


def _specs(given: Specs, what: str, choice: type[EncoderChoice | JudgeChoice | ScoreChoice]) -> dict[str, Spec]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{what}: labels are needed, such as {{'mine': 'NAME'}}, not {given!r}")
    return {label: _spec(one, f"{what}.{label}", choice) for label, one in given.items()}


def _spec(given: Any, where: str, choice: type[EncoderChoice | JudgeChoice | ScoreChoice]) -> Spec:
    if isinstance(given, str):
        given = given, {}
    if isinstance(given, Mapping):  # as a config has it
        try:
            return choice.model_validate(given).spec
        except ValidationError as error:
            problem = what_is_wrong(causes(error)[0], choice, dict(given))
            raise ConfigError(f"{where}: {problem}") from error
    match given:
        case (str(name), Mapping() as options):
            return known_score(name) if choice is ScoreChoice else name, options
    key = next(iter(choice.model_fields))
    raise ConfigError(f"{where}: give a name, (name, options) or {{{key!r}: name, ...}} as in a config, not {given!r}")
