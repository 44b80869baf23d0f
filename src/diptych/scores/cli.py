"""``diptych score``: parse, call one function, print a summary."""

import click

from diptych.addresses import Address
from diptych.command_line import (
    AS_JSON,
    PART,
    PlaceType,
    given_part,
    print_json,
    print_part,
    progress_mode,
    set_option,
)
from diptych.jobs.command_line import engine_options
from diptych.jobs.engine import Engine
from diptych.known_names import completing, listing
from diptych.progress.wording import taken_over


@click.command(cls=listing("Scores", "diptych.scores:SCORES"))
@click.argument("dataset", type=PlaceType(exists=True, file_okay=False))
@click.argument(
    "names", nargs=-1, required=True, metavar="[LABEL=]NAME...", shell_complete=completing("diptych.scores:SCORES")
)
@click.option(
    "--encoder",
    default="open_clip",
    show_default=True,
    help="Kind of encoder for scores that need one.",
    shell_complete=completing("diptych.encoders:ENCODERS"),
)
@click.option(
    "--judge",
    default="centre_point",
    show_default=True,
    help="Kind of judge for scores that need one.",
    shell_complete=completing("diptych.judges:JUDGES"),
)
@set_option("aesthetic.version=v2")
@engine_options("Processes.")
@PART
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="Rows at once.")
@AS_JSON
def score(
    dataset: Address,
    names: tuple[str, ...],
    encoder: str,
    judge: str,
    overrides: tuple[str, ...],
    engine: Engine,
    batch_size: int,
    as_json: bool,
) -> None:
    """Compute scores over any dataset directory.

    NAME is a score of diptych or one of your own, path/to/file.py:factory. A score's columns are called LABEL.column;
    without a label its own name is the label. Other options under a label that is there already take the label over;
    what was computed before stays.

    \b
    Examples:
      diptych score runs/laion/pool image_stats hashes
      diptych score runs/laion/pool clip_similarity aesthetic \\
        --set encoder.architecture=ViT-L-14 --set encoder.pretrained=openai \\
        --set aesthetic.version=v2
      diptych score runs/laion/pool b32=clip_similarity \\
        --set encoder.architecture=ViT-B-32 --set encoder.pretrained=openai
      diptych score runs/laion/pool redness.py:redness --set redness.power=2
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from diptych.data.dataset import open_dataset
    from diptych.scores.named import named_plan
    from diptych.scores.part import score_part
    from diptych.scores.run import score_dataset
    from diptych.storage.locks import only_one

    progress = progress_mode(click.get_current_context())
    plan = named_plan(names, overrides, encoder=encoder, judge=judge)
    part = given_part()
    # Opened first: nothing is locked, and so made, where there is none.
    with only_one(open_dataset(dataset).written, part):
        if not part.is_whole:
            made = score_part(dataset, plan, part, engine=engine, batch_size=batch_size, progress=progress)
            print_part("score", part, made, as_json)
            return
        done = score_dataset(dataset, plan, engine=engine, batch_size=batch_size, progress=progress)
    if as_json:
        print_json(done.facts)
        return
    for label, facts in done.facts["scores"].items():
        click.echo(f"{label}: {', '.join(facts['columns'])} in {facts['path']}")
    if not done.shards_done:
        click.echo("Nothing to do: these scores are finished.")
    elif said := taken_over(done.shards - done.shards_done, done.shards, "shard"):
        click.echo(said)
