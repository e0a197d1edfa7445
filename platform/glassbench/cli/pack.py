"""`glassbench pack`."""

from pathlib import Path

import click

from glassbench.cli.options import json_option, print_json, runs_option, wrapped
from glassbench.packs import pack_run
from glassbench.runs.all_runs import find_run


@click.command()
@click.argument("run")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Your private key, PEM, on a NIST elliptic curve.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The archive to write; RUN.pack.zip unless given.")
@runs_option
@json_option
def command(run: str, key: Path, output: Path | None, root: Path, as_json: bool) -> None:
    """Write the evidence of RUN as one archive signed with your own key, without any row of its data.

    `openssl ecparam -name prime256v1 -genkey -noout -out key.pem` makes a key, and `openssl ec -in key.pem -pubout` shows its
    public half, which reviewers need. The password of an encrypted key goes into GLASSBENCH_KEY_PASSWORD.
    """
    folder = find_run(run, root)
    written = output or Path(f"{folder.run}.pack.zip")
    files = pack_run(folder, key, written)
    if as_json:
        print_json({"run": folder.run, "pack": str(written), "files": files})
        return
    click.echo(f"packed: {len(files)} files in {written}, {written.stat().st_size:,} bytes")
    click.echo(wrapped("check it with: glassbench verify " + str(written) + " --key PUBLIC_KEY.pem", indent=2))
