"""``diptych evaluate import-evidence``: parse, call one function, print what came of it."""

import click

from diptych.addresses import Address
from diptych.command_line import AS_JSON, PlaceType, print_json
from diptych.known_names import completing, listing

FORMATS = "diptych.evaluate.imports:FORMATS"


@click.command(name="import-evidence", cls=listing("Formats", FORMATS))
@click.argument("dataset", type=PlaceType(exists=True, file_okay=False))
@click.argument("files", metavar="FILE...", type=PlaceType(), nargs=-1, required=True)
@click.option("--format", "format_", required=True, help="How FILE is written.", shell_complete=completing(FORMATS))
@click.option("--judge", required=True, metavar="NAME", help="Who judged; part of every number's name.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[THEIRS=]OURS",
    help="What a model of FILE is called here; OURS alone, once for each FILE, where it tells none.",
)
@click.option("--names", type=PlaceType(), help="COCO's file of the images and categories that ids of FILE are of.")
@click.option("--scale", metavar="LOW-HIGH", help="The least and the most that a rating can be, such as 1-5.")
@AS_JSON
def import_evidence(
    dataset: Address,
    files: tuple[Address, ...],
    format_: str,
    judge: str,
    models: tuple[str, ...],
    names: Address | None,
    scale: str | None,
    as_json: bool,
) -> None:
    """Store what was judged elsewhere beside DATASET.

    Rules and protocols then work on it without a model. FILE holds answers to questions, boxes, decisions or ratings
    about its images; several files of one judge, such as one for each model, are one judge's evidence.

    \b
    Examples:
      diptych evaluate import-evidence runs/sd21 pali17b_dsg.csv \\
        --format dsg --judge pali --model sd2dot1=sd21
      diptych evaluate import-evidence runs/sd21 results.jsonl \\
        --format geneval --judge mmdet --model sd21
      diptych evaluate import-evidence runs/both sdxl.jsonl flux.jsonl \\
        --format geneval --judge mmdet --model sdxl --model flux
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.evaluate.imports.printing import imported_facts, imported_lines
    from diptych.evaluate.imports.said_beside import model_names, scale_of
    from diptych.evaluate.imports.writing import GivenFiles, import_evidence
    from diptych.storage.store_path import read_path

    paths, named = tuple(map(read_path, files)), None if names is None else read_path(names)
    given = GivenFiles(paths, format_, judge, model_names(models, len(files)), named, scale_of(scale))
    made = import_evidence(dataset, given)
    if as_json:
        print_json(imported_facts(made, judge))
        return
    for line in imported_lines(made, judge):
        click.echo(line)
