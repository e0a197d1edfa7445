"""A Parquet file of 20 million decisions: what it costs to audit, beside DuckDB's own group-by of the same columns.

    python tests/benchmarks/predictions_at_size.py [ROWS]

The sides take turns in one process, so that whatever else the machine does meets them alike; seconds are of the work alone, with
imports done. Memory is the peak of a process of its own for each side, libraries included.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPEATS = 7
COLUMNS = ("truth", "decision", "sex", "race")


def write(path: Path, rows: int) -> None:
    """Write decisions with two sensitive columns, drawn by DuckDB."""
    import duckdb

    races = "['white','black','asian','hispanic','other']"
    duckdb.execute("select setseed(0.5)")
    duckdb.execute(
        f"""copy (select case when random() < 0.3 then 'yes' else 'no' end as truth,
                         case when random() < 0.35 then 'yes' else 'no' end as decision,
                         case when random() < 0.5 then 'female' else 'male' end as sex,
                         {races}[1 + cast(floor(random() * 5) as int)] as race, random() as other
                  from range({rows})) to '{path}' (format parquet)"""
    )


def group_by(path: Path) -> Callable[[], object]:
    """Return DuckDB's own group-by, each time from a fresh connection: one that stays open keeps the file's columns in memory."""
    import duckdb

    query = f"select {', '.join(COLUMNS)}, count(*) from '{path}' group by {', '.join(COLUMNS)}"

    def work() -> object:
        with duckdb.connect() as connection:
            return connection.sql(query).fetchall()

    return work


def counted(path: Path) -> Callable[[], object]:
    """Return the data set: the same rows, counted through Narwhals, with groups and truths read."""
    from glassbench_plugins.predictions.dataset import predictions

    return lambda: predictions(0, path=path, truth="truth", decision="decision", sensitive=("sex", "race"), engine="duckdb")


def audited(path: Path) -> Callable[[], object]:
    """Return the data set and the whole fairness audit of it: two features, their ten intersections, 1,000 resamples."""
    from glassbench.contracts.subject import Subject
    from glassbench_audits.fairness.audit import audit
    from glassbench_plugins.predictions.tasks import GivenClasses

    read = counted(path)

    def work() -> object:
        data, task = read(), GivenClasses()
        task.check(data.schema)
        return audit(Subject(schema=data.schema, predictions=task.predict(None, data.test), task=task))

    return work


SIDES = {"group-by": group_by, "counted": counted, "audited": audited}


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak(name: str, path: Path) -> None:
    """Do one side's work once in this process and print the peak of its memory in GiB."""
    SIDES[name](path)()
    status = Path("/proc/self/status").read_text()  # getrusage would report the parent's peak where that is higher
    print(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**20)


def main(rows: int) -> None:
    """Write the file, let the sides take turns, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.parquet"
        write(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 2**20:.0f} MiB")
        works = {name: make(path) for name, make in SIDES.items()}
        rounds = [{name: timed(work) for name, work in works.items()} for _ in range(REPEATS)]
        for name in SIDES:
            seconds = statistics.median(one[name] for one in rounds)
            times = statistics.median(one[name] / one["group-by"] for one in rounds)
            child = [sys.executable, __file__, name, str(path)]
            held = float(subprocess.run(child, capture_output=True, text=True, check=True).stdout)
            print(f"{name:10} {seconds:.2f} s  {times:.2f} times  peak {held:.2f} GiB")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        peak(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000)
