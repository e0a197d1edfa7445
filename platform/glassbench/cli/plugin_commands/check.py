"""`glassbench plugins check`."""

from dataclasses import asdict

import click

from glassbench.cli.options import json_option, print_json, print_table
from glassbench.registry import Registry
from glassbench.testing.distribution import check_distribution


@click.command()
@click.argument("distribution")
@json_option
@click.pass_context
def command(ctx: click.Context, distribution: str, as_json: bool) -> None:
    """Run the conformance suites over everything that DISTRIBUTION offers; exit code 1 where a promise is broken."""
    checks = check_distribution(Registry(blocked=ctx.obj["blocked"]), distribution)
    if as_json:
        print_json({"distribution": distribution, "checks": [asdict(check) for check in checks]})
    else:
        print_table(("kind", "name", "outcome", "reason"), [(c.kind, c.name, c.outcome, c.reason or "") for c in checks])
    if any(check.outcome == "broken" for check in checks):
        ctx.exit(1)
