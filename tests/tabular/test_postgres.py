"""A query over a real Postgres server on loopback, through DuckDB's extension; skipped where either is not installed."""

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench_plugins.tabular.sql import sql

pytestmark = pytest.mark.slow

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
PROGRAMS += [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
USER = {"user": "postgres"} if os.geteuid() == 0 else {}  # a server refuses to run as root
QUERY = "SELECT o.*, p.region FROM shop.public.orders o JOIN shop.public.people p ON o.person = p.person"


def extension():
    with contextlib.suppress(duckdb.Error):
        duckdb.connect().execute("LOAD postgres")
        return True
    return False


def called(program, *arguments):
    done = subprocess.run([PROGRAMS[0] / program, *arguments], capture_output=True, text=True, **USER, cwd="/")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def orders():
    chance = np.random.default_rng(3)
    frame = pd.DataFrame({"person": np.arange(200), "price": chance.normal(50, 9, 200).round(2)})
    frame["late"] = np.where(frame["price"] + chance.normal(0, 3, 200) > 50, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def address(orders, tmp_path_factory):
    """Start a server with two tables, and stop it."""
    if not PROGRAMS or not extension():
        pytest.skip("needs a Postgres server and DuckDB's extension for it")
    home = Path("/tmp") if USER else tmp_path_factory.mktemp("postgres")
    folder = home / f"postgres-{os.getpid()}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    called("initdb", "-D", str(folder), "-A", "trust", "-U", "reader")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    called("pg_ctl", "-D", str(folder), "-w", "-l", f"{folder}.log", "-o", options, "start")
    try:
        rows = ", ".join(f"({person}, {price}, '{late}')" for person, price, late in orders.itertuples(index=False))
        regions = ", ".join(f"({person}, '{'north' if person % 3 else 'south'}')" for person in orders["person"])
        for statement in [
            "CREATE TABLE orders (person int, price float8, late text)",
            f"INSERT INTO orders VALUES {rows}",
            "CREATE TABLE people (person int, region text)",
            f"INSERT INTO people VALUES {regions}",
        ]:
            called("psql", "-h", "127.0.0.1", "-p", str(port), "-U", "reader", "-d", "postgres", "-c", statement)
        yield f"postgresql://reader@127.0.0.1:{port}/postgres"
    finally:
        called("pg_ctl", "-D", str(folder), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        Path(f"{folder}.log").unlink(missing_ok=True)


def test_rows_of_a_server_are_those_of_its_tables(address, orders):
    data = sql(0, query=QUERY, sources={"shop": Path(address)}, target="late", sensitive=("region",))
    found = pd.concat([part.raw.assign(row=part.rows) for part in (data.train, data.validation, data.test) if part is not None])
    assert len(found) == len(orders)
    np.testing.assert_allclose(np.sort(found["price"].astype(float)), np.sort(orders["price"]))
    assert data.test.groups["region"].isin(["north", "south"]).all()


def test_nothing_is_written_and_what_is_wrong_is_one_screen(address):
    for query, words in [
        ("INSERT INTO shop.public.orders VALUES (1, 2, 'yes')", "SELECT"),
        ("SELECT * FROM shop.public.nothing", "nothing"),
        ("SELECT price FROM shop.public.orders", "late"),
    ]:
        with pytest.raises(DataError, match=words) as caught:
            sql(0, query=query, sources={"shop": Path(address)}, target="late")
        assert len(str(caught.value).splitlines()) <= 10
    closed = address.rpartition(":")[0] + ":1/postgres"
    with pytest.raises(DataError, match="cannot be opened"):
        sql(0, query=QUERY, sources={"shop": Path(closed)}, target="late")
