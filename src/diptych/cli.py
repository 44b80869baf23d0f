"""The command line: names every subcommand and every kind of config, and imports none of them.

Turns what goes wrong into one line and an exit code; decides nothing else. A subcommand asks
``diptych.command_line.progress_mode`` for the way to show progress and hands it to ``diptych.progress.track``.
"""

import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from diptych import __version__
from diptych.addresses import COLUMNS_DIR, Address
from diptych.command_line import ARGUMENTS, AS_JSON, LocalPathType, PlaceType, note_arguments, print_json, set_option
from diptych.error_lines import placed
from diptych.errors import ConfigError, DataError, DiptychError
from diptych.failures import exit_codes_help, failed, misused, told
from diptych.interrupts import ending_in_order_when_stopped, exit_code, is_interrupt, say_stopped
from diptych.known_names import completing
from diptych.lookup import describe_unknown, import_attribute, naming_extras
from diptych.progress.displays import MODES
from diptych.shortage import telling_shortage


class Subcommand(NamedTuple):
    """A click command to import on use, and the line that stands for it in the list."""

    target: str
    help: str


# To add one: a click command, a line here (alphabetical), a test.
COMMANDS: dict[str, Subcommand] = {
    "curate": Subcommand("diptych.curate.cli:curate", "Download, score, de-duplicate and select image-text pairs."),
    "demo": Subcommand("diptych.demo.cli:demo", "Run diptych from end to end on a small drawn world."),
    "doctor": Subcommand("diptych.doctor.cli:doctor", "Show what this machine offers and what is installed."),
    "evaluate": Subcommand(
        "diptych.evaluate.cli:evaluate", "Judge datasets: distances, mean scores, differences, audits."
    ),
    "generate": Subcommand("diptych.generate.cli:generate", "Make images from prompts across models and settings."),
    "init": Subcommand("diptych.init:init", "Write a config to begin with; without a KIND, list them."),
    "report": Subcommand("diptych.reports.cli:report", "Make pages out of what was curated, generated and evaluated."),
    "schema": Subcommand("diptych.cli:schema", "Print the JSON Schema of the config files, for editors."),
    "score": Subcommand("diptych.scores.cli:score", "Compute scores over any dataset directory."),
    "validate": Subcommand("diptych.cli:validate", "Check config files without running them."),
    "verify": Subcommand("diptych.verify:verify", "Look at every byte of datasets and stores; put back what can be."),
}

# What the top-level key `job` of a config file stands for. To add one: a model, a line here (alphabetical), a test.
CONFIGS: dict[str, str] = {
    "curate": "diptych.curate.config:CurateConfig",
    "evaluate": "diptych.evaluate.config:EvaluateConfig",
    "generate": "diptych.generate.config:GenerateConfig",
    "import": "diptych.generate.imported.config:ImportConfig",
    "report": "diptych.reports.config:ReportConfig",
}

QUIET = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "WANDB_ERROR_REPORTING": "false",  # to its makers; a run is sent where somebody asks for that alone
}


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is used, and ends every failure in one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table."""
        return sorted(COMMANDS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they were given, then parse them."""
        note_arguments(ctx, args)
        given = ctx.meta[ARGUMENTS]
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise misused(error, given) from error
        except DiptychError as error:  # of an option of the root command itself
            raise failed(error, given) from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_attribute(COMMANDS[cmd_name].target)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or suggest the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(describe_unknown("command", name, COMMANDS))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; errors on purpose become one line, bugs keep their traceback."""
        arguments = ctx.meta[ARGUMENTS]
        try:
            # naming_extras: of what a command imports when it is at work
            with ending_in_order_when_stopped(), telling_shortage(), naming_extras():
                return super().invoke(ctx)
        except (KeyboardInterrupt, Exception) as error:
            if ctx.params["debug"] and not isinstance(error, click.ClickException | click.exceptions.Exit):
                traceback.print_exc()
            if is_interrupt(error):
                say_stopped(arguments)
                ctx.exit(exit_code())
            if ours := told(error):
                raise failed(ours, arguments) from error
            if isinstance(error, click.UsageError):
                raise misused(error, arguments) from error
            raise


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=exit_codes_help())
@click.option(
    "--progress",
    type=click.Choice(MODES),
    default="auto",
    show_default=True,
    envvar="DIPTYCH_PROGRESS",
    show_envvar=True,
    help="How to show progress on stderr: a bar, a line every 30 s, JSON lines, nothing; auto looks at the terminal.",
)
@click.option(
    "--columns-dir",
    type=LocalPathType(file_okay=False),
    envvar=COLUMNS_DIR,
    show_envvar=True,
    help="Where scores, vectors and decisions of datasets go that cannot be written; else they lie beside the data.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="diptych", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, progress: str, columns_dir: Path | None, debug: bool) -> None:
    """Curate image-text pairs, and judge both with numbers that can be defended.

    \b
    Examples:
      diptych doctor                    what is installed, what this machine has
      diptych validate configs/*.yaml   are my config files right?
      diptych curate --help             the steps of one job
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    context.obj = {"progress": progress}
    try:
        Path.cwd()  # what relative paths begin at, and what a rerun is told to begin in
    except OSError as error:
        raise DataError("the folder that this runs in is gone or cannot be read; change to another: cd ~") from error
    if columns_dir is not None:
        os.environ[COLUMNS_DIR] = str(columns_dir.absolute())
    keep_quiet()


def keep_quiet() -> None:
    """Tell the libraries behind the jobs to phone nobody; before they are imported, since some read it only then."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if os.environ.get("DIPTYCH_OFFLINE", "").lower() in {"1", "on", "yes", "true"}:
        os.environ["HF_HUB_OFFLINE"] = "1"


@click.command()
@click.argument("paths", metavar="CONFIG...", nargs=-1, required=True, type=PlaceType())
@set_option("a.b=1")
@AS_JSON
def validate(paths: Sequence[Address], overrides: Sequence[str], as_json: bool) -> None:
    """Check config files without running them.

    Reads each file as its job would and says where it is wrong. Neither the data nor the models that it names are
    opened.
    """
    found = [_check_config(path, overrides) for path in paths]
    problems = [problem for config in found for problem in config["problems"]]
    if as_json:
        print_json([{**one, "problems": [placed(line, [one["path"]]) for line in one["problems"]]} for one in found])
    else:
        for config in found:
            if not config["problems"]:
                click.echo(f"{config['path']}: ok (job {config['job']}, fingerprint {config['fingerprint']})")
    if problems:
        raise ConfigError("\n".join(problems))


def _check_config(given: Address, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the job and the fingerprint of a config, or the lines that say what is wrong."""
    from diptych.config.identity import fingerprint
    from diptych.config.load import load, read_job
    from diptych.storage.store_path import read_path

    facts: dict[str, Any] = {"path": str(given), "job": None, "fingerprint": None, "problems": []}
    try:
        path = read_path(given)
        facts["job"] = job = read_job(path)
        if job not in CONFIGS:
            raise ConfigError(f"{path}: {describe_unknown('job', job, CONFIGS)}")
        facts["fingerprint"] = fingerprint(load(path, import_attribute(CONFIGS[job]), overrides))[:8]
    except (ConfigError, DataError) as error:
        facts["problems"] = str(error).splitlines()
    return facts


@click.command()
@click.argument("job", required=False, shell_complete=completing("diptych.cli:CONFIGS"))
@AS_JSON
def schema(job: str | None, as_json: bool) -> None:
    """Print the JSON Schema of the config files, for editors.

    With JOB that of one job, else one that fits the config file of any job. An editor completes and checks a config
    whose first line is "# yaml-language-server: $schema=FILE".
    """
    from pydantic import TypeAdapter

    if job is not None and job not in CONFIGS:
        raise click.BadParameter(describe_unknown("job", job, CONFIGS), param_hint="JOB")
    models = [import_attribute(CONFIGS[name]) for name in ([job] if job else sorted(CONFIGS))]
    union = models[0]
    for model in models[1:]:
        union |= model
    print_json(TypeAdapter(union).json_schema(), indent=None if as_json else 2)
