"""`glassbench generate`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, registry, runs_option
from glassbench.contracts.task import Generation
from glassbench.run_handle import Run
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.option("--prompt", required=True, help="What to go on from, or what to answer.")
@click.option("--length", type=click.IntRange(1), default=200, show_default=True, help="Most tokens to write.")
@click.option("--temperature", type=click.FloatRange(0), default=0.8, show_default=True, help="0 always takes the likeliest.")
@click.option("--top-k", type=click.IntRange(1), help="Draw among so many of the likeliest tokens.")
@click.option(
    "--beams", type=click.IntRange(1), default=1, show_default=True, help="Answers followed at once, where a task searches."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of what is drawn.")
@runs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run: str,
    prompt: str,
    length: int,
    temperature: float,
    top_k: int | None,
    beams: int,
    seed: int,
    root: Path,
    as_json: bool,
) -> None:
    """Let the model of RUN write: what follows a prompt, or what answers it."""
    how = Generation(length=length, temperature=temperature, top_k=top_k, beams=beams, seed=seed)
    text = Run(find_run(run, root), registry(ctx)).generate(prompt, how)
    if as_json:
        print_json({"run": run, "prompt": prompt, "text": text})
    else:
        click.echo(text)
