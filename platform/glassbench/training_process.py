"""One process of a training that spreads over several: `python -m glassbench.training_process RUN`."""

import sys
from pathlib import Path
from typing import cast

from glassbench.contracts.trainer import Trainer
from glassbench.errors import GlassbenchError
from glassbench.pipeline.fitting import workspace_of
from glassbench.pipeline.phases import replan
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.registry import Registry
from glassbench.runs.all_runs import open_run


def work(path: Path) -> None:
    """Fit the model of a run; the trainer leaves what it found in the run's checkpoints.

    Args:
        path: The run's folder, planned; whoever started this process holds its lock.
    """
    folder, registry = open_run(path), Registry()
    context = RunContext(folder, replan(folder, registry), registry, SilentObserver())
    assert context.plan.model is not None
    assert context.plan.trainer is not None
    data, task = context.training_data, context.task
    trainer = cast(Trainer, context.plan.trainer.make())
    trainer.fit(context.wrapped(context.fresh_model(context.plan.model), data), task, data, workspace_of(context))


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]))
    except GlassbenchError as error:
        sys.exit(str(error))
