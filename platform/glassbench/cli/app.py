"""The `glassbench` command: finds its subcommands without importing them, and turns errors into exit codes."""

import contextlib
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import click
from click.shell_completion import shell_complete

from glassbench.cli.closed_pipe import close_pipe
from glassbench.cli.interruption import Received, farewell, interruptible
from glassbench.errors import FOREIGN, GlassbenchError, suggest
from glassbench.printable import printable, quoted
from glassbench.system.memory import not_enough_memory, ran_out

COMMANDS = {
    "run": "Train, audit and report an experiment.",
    "inspect": "Say what a file of data holds.",
    "plan": "Say what an experiment would do, and write nothing.",
    "study": "Run an experiment with several seeds and settings, and compare them.",
    "mitigate": "Try what could mend a run's gap between groups, and compare.",
    "clean": "Propose which rows to drop or relabel, and compare before and after.",
    "compress": "Make a run's network smaller, and say who loses by it.",
    "resume": "Go on with a run that was stopped.",
    "audit": "Audit a run again, or decisions made elsewhere.",
    "report": "Render a run's report again.",
    "view": "Show a run in the browser and change cells of its rows.",
    "predict": "Decide raw rows with a run's model.",
    "monitor": "Say whether a run's model still holds on new rows.",
    "export": "Export a run's model: ONNX, a PyTorch program, or a folder that scores rows.",
    "serve": "Serve a run's model on this machine: batches of raw rows, checks, explanations.",
    "generate": "Let a run's model write from a prompt.",
    "runs": "List, show and compare runs.",
    "plugins": "List plugins, and show a component's settings.",
    "schema": "Print the JSON Schema of experiment files.",
    "init": "Write a commented starting file.",
    "pack": "Write a run's evidence as one signed archive for reviewers.",
    "verify": "Check a run's files against its manifest, or a pack against its signature.",
}
EXAMPLES = {
    "run": "glassbench run experiment.yaml model.hidden=[64,64]",
    "inspect": "glassbench inspect patients.csv",
    "plan": "glassbench plan experiment.yaml",
    "resume": "glassbench resume latest",
    "audit": "glassbench audit decisions.csv --decision said --truth was --sensitive sex,age",
    "report": "glassbench report latest --open",
    "predict": "glassbench predict latest new-patients.csv",
    "monitor": "glassbench monitor latest new-patients.csv --truth outcome",
    "export": "glassbench export latest --to scorer --output scorer",
    "serve": "glassbench serve latest --port 8000",
    "generate": 'glassbench generate latest "Once upon"',
    "runs": "glassbench runs compare 20261128T2308 latest --html comparison.html",
    "plugins": "glassbench plugins show mlp",
    "schema": "glassbench schema > experiment.schema.json",
    "init": "glassbench init patients.csv --target outcome --sensitive sex",
    "study": "glassbench study docs/examples/studies/progression.yaml",
    "mitigate": "glassbench mitigate latest --only reweighing --only group-thresholds",
    "clean": "glassbench clean latest",
    "compress": "glassbench compress latest --to int8 --to distilled+int8 --fit-in 256KiB",
    "view": "glassbench view latest",
    "pack": "glassbench pack latest --key key.pem",
    "verify": "glassbench verify latest",
}
"""An example of each command, shown below its help."""

USAGE = 2
COMPLETION = "_GLASSBENCH_COMPLETE"
"""The environment variable by which a shell asks for completions, as click names it."""


class Lazy(click.Group):
    """A group whose commands are imported when they are called.

    Args:
        summaries: Summary of each command, in order; the command `x` is the object `command` of the module `package.x`.
        package: Where the commands' modules are.
    """

    def __init__(self, *args: Any, summaries: Mapping[str, str], package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.summaries = summaries
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in order."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.summaries:
            return None
        command: click.Command = importlib.import_module(f"{self.package}.{cmd_name}").command
        if self.package == "glassbench.cli" and cmd_name in EXAMPLES:
            command.epilog = f"Example: {EXAMPLES[cmd_name]}"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when one is misspelt."""
        known = list(self.summaries)
        if args and args[0] not in known and not args[0].startswith("-"):
            fix = suggest(args[0], known) or f"see `{ctx.command_path} --help`"
            raise GlassbenchError(f"there is no command '{args[0]}'", got=args[0], available=known, fix=fix)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Lazy,
    summaries=COMMANDS,
    package=__package__,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="glassbench", prog_name="glassbench")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option("--no-plugin", "blocked", multiple=True, metavar="NAME", help="Skip a plugin; may be repeated.")
@click.pass_context
def app(ctx: click.Context, debug: bool, blocked: tuple[str, ...]) -> None:
    """Train a model and audit it in the same run.

    Exit codes: 0 every gate passes, 1 a gate fails, 2 something is wrong with what was asked, 3 the evidence does not suffice.
    """
    ctx.obj = {**(ctx.obj or {}), "debug": debug, "blocked": blocked}
    ctx.color = _colour()


def _colour() -> bool | None:
    """False where a person wants no colour (https://no-color.org), else None: colour on terminals alone."""
    return False if os.environ.get("NO_COLOR") else None


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    debug = "--debug" in arguments
    # `--debug` helps after the fact, so it may stand anywhere.
    arguments = [a for a in arguments if a != "--debug"]
    if "--json" not in arguments:
        return _run(arguments, debug, sys.stdout)
    answer = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what plugins print must not stand beside the one JSON object
        return _run(arguments, debug, answer)


def _run(arguments: list[str], debug: bool, answer: TextIO) -> int:
    instruction = os.environ.get(COMPLETION)
    if instruction:
        return shell_complete(app, {}, "glassbench", COMPLETION, instruction)
    with interruptible() as received:
        try:
            line = ["--debug", *arguments] if debug else arguments
            with app.make_context("glassbench", line, obj={"answer": answer}) as context:
                return int(app.invoke(context) or 0)
        except click.exceptions.Exit as error:
            return error.exit_code
        except (click.Abort, KeyboardInterrupt) as error:
            return _stopped(received, error, answer if "--json" in arguments else None)
        except BaseException as error:
            return _failed(error, debug, answer if "--json" in arguments else None)


def _failed(error: BaseException, debug: bool, answer: TextIO | None) -> int:
    """Say what went wrong; return the exit code."""
    if isinstance(error, GlassbenchError):
        if answer is not None:
            parts = {name: getattr(error, name) for name in ("problem", "where", "got", "available", "fix")}
            click.echo(json.dumps({"error": parts}, ensure_ascii=False, indent=2), file=answer)
        return _say(str(error), debug)
    if isinstance(error, click.ClickException):
        said = io.StringIO()
        error.show(file=said)
        click.echo(printable(said.getvalue()), err=True, nl=False)
        return USAGE
    if isinstance(error, BrokenPipeError):
        close_pipe()
        return 0
    if not isinstance(error, FOREIGN):
        raise error
    if ran_out(error):
        return _say(str(not_enough_memory(error)), debug)
    if isinstance(error, OSError):
        refused = GlassbenchError(
            f"the system refused: {error.strerror or type(error).__name__}",
            got=quoted(error.filename) if error.filename is not None else quoted(error),
            fix="check the name, its permissions and the free space",
        )
        return _say(str(refused), debug)
    fix = "see --debug, and report it"
    return _say(f"something unexpected went wrong: {type(error).__name__}: {quoted(error)}\n  fix:        {fix}", debug)


def _stopped(received: Received, error: BaseException, answer: TextIO | None) -> int:
    """Say what ended the command and how to go on; a terminal that is gone hears nothing of it."""
    said, more = farewell(received, error if isinstance(error, KeyboardInterrupt) else error.__cause__)
    with contextlib.suppress(OSError):
        click.echo(f"\n{said}; `{more}` goes on from here" if more else f"\n{said}", err=True)
        if answer is not None:
            click.echo(json.dumps({"error": {"problem": said, "fix": more}}, ensure_ascii=False, indent=2), file=answer)
    return received.exit_code


def _say(text: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    click.echo(f"{click.style('error:', fg='red', bold=True)} {text}", err=True, color=_colour())
    return USAGE
