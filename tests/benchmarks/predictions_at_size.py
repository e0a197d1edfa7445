"""A Parquet file of 20 million decisions: what it costs to audit, beside DuckDB's own group-by of the same columns.

    python tests/benchmarks/predictions_at_size.py [ROWS]

Each side runs in a process of its own, one after the other, several times; seconds are of the work alone, imports done. Memory is the
peak of the whole process, libraries included.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPEATS = 5
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
    """Return DuckDB's own group-by."""
    import duckdb

    query = f"select {', '.join(COLUMNS)}, count(*) from '{path}' group by {', '.join(COLUMNS)}"
    return lambda: duckdb.sql(query).fetchall()


def counted(path: Path) -> Callable[[], object]:
    """Return the data set: the same rows, counted through Narwhals, with groups and truths read."""
    from glassbench_plugins.predictions.dataset import predictions

    return lambda: predictions(0, path=path, truth="truth", decision="decision", sensitive=("sex", "race"), engine="duckdb")


def audited(path: Path) -> Callable[[], object]:
    """Return the data set and the whole fairness audit of it: two features, their ten intersections, 1,000 resamples."""
    from glassbench.subject import Subject
    from glassbench_audits.fairness.audit import audit
    from glassbench_plugins.predictions.tasks import GivenClasses

    read = counted(path)

    def work() -> object:
        data, task = read(), GivenClasses()
        task.check(data.schema)
        return audit(Subject(schema=data.schema, predictions=task.predict(None, data.test), task=task))

    return work


SIDES = {"group-by": group_by, "counted": counted, "audited": audited}


def side(name: str, path: Path) -> None:
    """Time one side in this process and print seconds and peak memory."""
    work = SIDES[name](path)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": statistics.median(seconds), "all": [round(s, 3) for s in seconds], "peak_gib": round(peak, 3)}))


def main(rows: int) -> None:
    """Write the file, run each side, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.parquet"
        write(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / 2**20:.0f} MiB")
        found = {}
        for name in SIDES:
            done = subprocess.run([sys.executable, __file__, name, str(path)], capture_output=True, text=True, check=True)
            found[name] = json.loads(done.stdout)
        own = found["group-by"]["seconds"]
        for name, one in found.items():
            print(
                f"{name:10} {one['seconds']:.3f} s  {one['seconds'] / own:.2f} times  peak {one['peak_gib']:.2f} GiB  {one['all']}"
            )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        side(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000)
