"""`glassbench audit`."""

from pathlib import Path
from typing import Any

import click

from glassbench import api
from glassbench.cli.options import accept_option, json_option, open_option, registry, runs_option
from glassbench.cli.progress import Progress
from glassbench.cli.run import conclude
from glassbench.cli.worked import worked
from glassbench.errors import ExperimentError
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.run_handle import Run

_SINGLE = ("truth", "decision", "score", "positive", "counts", "weight", "cluster", "engine", "kind")


@click.command()
@click.argument("subjects", nargs=-1, metavar="RUN | FILE... [KEY=VALUE]...")
@click.option("--mlflow", metavar="RUN_ID", help="Audit what an MLflow run logged: its evaluation table, or its model on FILE.")
@click.option("--mlflow-uri", metavar="URI", help="The store of that run: a server, sqlite:///FILE or a folder.")
@click.option("--artifact", metavar="PATH", help="Which file of the MLflow run, where several can be meant.")
@click.option("--only", multiple=True, metavar="AUDIT", help="Do this audit of a run alone again; may be repeated.")
@click.option("--truth", metavar="COL", help="Column of what was true; without it, only what was decided is audited.")
@click.option("--decision", metavar="COL", help="Column of what was decided.")
@click.option("--score", metavar="COL", help="Column of the positive class's probability.")
@click.option("--sensitive", metavar="COL,COL", help="Columns to audit by.")
@click.option(
    "--positive",
    metavar="CLASS",
    help="The class that rates and the score speak of; needed unless names such as yes and no tell.",
)
@click.option(
    "--favourable",
    metavar="CLASS,CLASS",
    help="The outcomes that are good for a person, for selection rates and parity; higher or lower of a value.",
)
@click.option("--decides", metavar="VALUE,VALUE", help="Values of the decision column that mean the positive class.")
@click.option("--counts", metavar="COL", help="Column of how many equal rows each row stands for.")
@click.option("--weight", metavar="COL", help="Column of survey or sample weights: rates, intervals and tests weigh rows.")
@click.option("--cluster", metavar="COL", help="Column of what each row belongs to, such as a person with several rows.")
@click.option("--engine", type=click.Choice(["auto", "memory", "duckdb", "spark"]), help="Who reads or counts the rows.")
@click.option("--kind", type=click.Choice(["class", "value"]), default="class", show_default=True, help="What is decided.")
@runs_option
@open_option
@accept_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    subjects: tuple[str, ...],
    mlflow: str | None,
    mlflow_uri: str | None,
    artifact: str | None,
    only: tuple[str, ...],
    root: Path,
    show: bool,
    accept: bool,
    as_json: bool,
    **columns: Any,
) -> int:
    """Audit a RUN again without retraining; or audit decisions made elsewhere, from one or several CSV or Parquet FILEs.

    --mlflow RUN_ID audits what an MLflow run logged: its evaluation table, or with a FILE of rows its model on them.

    For files, KEY=VALUE overrides a setting, as in gates=[{measure: fairness.four_fifths, by: sex, at_least: 0.8}].
    """
    overrides = [s for s in subjects if "=" in s and not Path(s).exists()]
    named = [s for s in subjects if s not in overrides]
    if mlflow is None and not named:
        raise click.UsageError("name a RUN, a FILE of decisions, or --mlflow RUN_ID")
    if mlflow is None and (mlflow_uri or artifact):
        raise click.UsageError("--mlflow-uri and --artifact go with --mlflow RUN_ID")
    if mlflow is None and len(named) == 1 and not Path(named[0]).is_file() and not columns["decision"]:
        found = worked(ctx, named[0], root, lambda found: found.audit(only), as_json=as_json, accept=accept)
        return conclude(found, show, as_json)
    if only:
        raise click.UsageError("--only goes with a RUN; for files set the audits: audits=[fairness]")
    observer = SilentObserver() if as_json else Progress(debug=ctx.obj["debug"])
    try:
        given: dict[str, Any] = {"overrides": overrides, "runs": root, "registry": registry(ctx), "observer": observer}
        if mlflow is None:
            done = api.run(experiment(named, columns), **given)
        else:
            done = logged(mlflow, mlflow_uri, artifact, named, columns, given)
    finally:
        if isinstance(observer, Progress):
            observer.close()
    return conclude(done, show, as_json)


def experiment(files: list[str], columns: dict[str, Any]) -> dict[str, Any]:
    """Return the experiment that audits files of decisions.

    Raises:
        ExperimentError: The column of decisions is not named.
    """
    if not columns["decision"]:
        raise ExperimentError("which column holds the decision?", got=" ".join(files), fix="add --decision COL")
    dataset = {"use": "predictions", "path": [str(Path(f).absolute()) for f in files], **named_columns(columns)}
    task = "given-classes" if columns["kind"] == "class" else "given-values"
    return {"name": Path(files[0]).name.partition(".")[0], "dataset": dataset, "task": task}


def named_columns(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the options that say what the columns of a table hold, as settings of the data set `predictions`."""
    several = {key: (columns[key] or "").split(",") for key in ("sensitive", "decides", "favourable")}
    given = {key: columns[key] for key in _SINGLE if columns[key] is not None}
    return given | {key: [v.strip() for v in values] for key, values in several.items() if values != [""]}


def logged(
    run_id: str, uri: str | None, artifact: str | None, files: list[str], columns: dict[str, Any], given: dict[str, Any]
) -> Run:
    """Audit what an MLflow run logged, on the rows of a file where one is named."""
    from glassbench.logged_runs.logged_audit import audit_logged  # its client is an extra

    if len(files) > 1:
        raise click.UsageError("--mlflow takes one FILE of rows")
    rows = Path(files[0]) if files else None
    return audit_logged(run_id, uri=uri, rows=rows, artifact=artifact, columns=named_columns(columns), **given)
