"""`glassbench verify`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, runs_option
from glassbench.printable import printable
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run", metavar="RUN | PACK")
@click.option("--key", type=click.Path(path_type=Path), help="The public key of whoever should have signed the PACK, PEM.")
@runs_option
@json_option
def command(run: str, key: Path | None, root: Path, as_json: bool) -> int:
    """Check the files of RUN against its manifest, or a PACK against its signature; exit code 1 when something differs."""
    if Path(run).is_file():
        return _pack(Path(run), key, as_json)
    if key is not None:
        raise click.UsageError("--key goes with a PACK")
    folder = find_run(run, root)
    damage = folder.damage()
    if not damage:
        folder.require("report")
    if as_json:
        print_json({"run": folder.run, "intact": not damage, "differences": damage})
    else:
        click.echo("\n".join(damage) or f"intact: {len(folder.manifest())} files as recorded")
    return 1 if damage else 0


def _pack(path: Path, key: Path | None, as_json: bool) -> int:
    from glassbench.packs import verify_pack

    found = verify_pack(path, key)
    if as_json:
        facts = {"differences": list(found.differences), "refused": found.refused, "signer": found.signer}
        print_json({"pack": str(path), "intact": found.intact, "key": "given" if found.known_key else "inside", **facts})
        return 0 if found.intact else 1
    for line in found.differences:
        click.echo(printable(line))
    if found.refused is not None:
        click.echo(printable(f"refused: {found.refused}"))
    if found.intact:
        whose = "by the key given" if found.known_key else "by the key inside; compare it with the signer's, or give it as --key"
        click.echo(f"intact: {found.files} files as signed {whose} (SHA-256 of the key {str(found.signer)[:16]}...)")
    return 0 if found.intact else 1
