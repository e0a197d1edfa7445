"""Lightning without its chatter."""

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pytorch_lightning.utilities.exceptions import SIGTERMException

_LOGGERS = ("pytorch_lightning", "lightning_fabric")
_KNOWN = (
    "GPU available but not used",
    "The '.*_dataloader' does not have many workers",
    "Found .* module\\(s\\) in eval mode at the start of training",
    "Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`",
    "You defined a `validation_step` but have no `val_dataloader`",
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "`torch.jit.script_method` is deprecated",
)
"""Warnings of Lightning and PyTorch about what is meant to be so here, by the start of their message."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's notes and its warnings about what is meant to be so from the reader, within a `with` block."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in _KNOWN:
            warnings.filterwarnings("ignore", message=message)
        try:
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a `with` block as Ctrl-C ends another; Lightning exits the process and ignores further ones."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if isinstance(error, SIGTERMException) or isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
