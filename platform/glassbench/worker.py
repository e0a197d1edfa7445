"""One process of a training that spreads over several: `python -m glassbench.worker RUN`."""

import sys
from pathlib import Path
from typing import cast

from glassbench.errors import GlassbenchError
from glassbench.phases import replan, workspace_of
from glassbench.registry import Registry
from glassbench.runs import open_run
from glassbench.trainer import Trainer
from glassbench.watcher import Silent
from glassbench.workbench import Workbench


def work(path: Path) -> None:
    """Fit the model of a run; the trainer leaves what it found in the run's checkpoints.

    Args:
        path: The run's folder, planned; whoever started this process holds its lock.
    """
    folder, registry = open_run(path), Registry()
    bench = Workbench(folder, replan(folder, registry), registry, Silent())
    assert bench.plan.model is not None
    assert bench.plan.trainer is not None
    data, task = bench.data, bench.task
    trainer = cast(Trainer, bench.plan.trainer.make())
    trainer.fit(bench.fresh_model(bench.plan.model), task, data, workspace_of(bench))


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]))
    except GlassbenchError as error:
        sys.exit(str(error))
