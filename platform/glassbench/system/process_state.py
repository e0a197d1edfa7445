"""What code of others may change in the process, and putting it back."""

import builtins
import contextlib
import io
import locale
import logging
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

_DEFINED = (FunctionType, BuiltinFunctionType, type, property, staticmethod, classmethod)
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@dataclass(frozen=True)
class _Setting:
    """One thing that holds for the whole process.

    Args:
        name: How it is called.
        read, write: Read and set its value.
        fresh: What it is right after its library was imported; None where it need not be known.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    fresh: Any = None


@contextlib.contextmanager
def put_back(*, output: bool = False) -> Iterator[list[str]]:
    """Run code of others; whatever it changes in the process is as before afterwards, also when it raises.

    This covers the current folder, environment variables, the search path, signal handlers, warning filters, the level of
    logging, the locale, random generators, NumPy's error state, PyTorch's gradient mode, default dtype, threads and
    determinism, and functions and classes of Glassbench and of Python's built-ins that were replaced. Other packages are
    not covered: code of others runs with the rights of whoever installed it.

    Args:
        output: Whether what it prints is swallowed and counts as a change.

    Yields:
        A list that holds in words what was changed, once the block is left.
    """
    changed: list[str] = []
    settings, definitions, generators = _read_settings(), _definitions(), _generators()
    printed = io.StringIO()
    streams = sys.stdout, sys.stderr
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            if output:
                stack.enter_context(contextlib.redirect_stdout(printed))
                stack.enter_context(contextlib.redirect_stderr(printed))
            yield changed
    finally:
        sys.stdout, sys.stderr = streams
        changed += _settle(settings)
        changed += _define(definitions)
        _restore_generators(generators)
        if printed.getvalue().strip():
            changed.append("the output (it printed)")


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt a block that takes longer, in the main thread; elsewhere it takes as long as it takes.

    Raises:
        TimeoutError: It took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError(f"it was not done after {seconds:g} s")

    started, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-3), interval)


def _read_settings() -> list[tuple[_Setting, Any]]:
    return [(setting, setting.read()) for setting in (*_of_python(), *_of_numpy(), *_of_torch())]


def _settle(before: list[tuple[_Setting, Any]]) -> list[str]:
    """Write back what differs; what a library that was imported meanwhile brought is held against its fresh value."""
    known = {setting.name for setting, _ in before}
    brought = [(s, s.fresh) for s in _of_torch() if s.name not in known and s.fresh is not None]
    changed = [(setting, value) for setting, value in [*before, *brought] if _differs(setting, value)]
    words = [_words(setting, value) for setting, value in changed]
    for setting, value in changed:
        setting.write(value)
    return words


def _words(setting: _Setting, before: Any) -> str:
    """Say what differs; of environment variables which they are."""
    if not isinstance(before, dict) or setting.read is not _environment:
        return setting.name
    now = setting.read()
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f"{setting.name} ({', '.join(names)})"


def _differs(setting: _Setting, value: Any) -> bool:
    try:
        return bool(setting.read() != value)
    except OSError:  # the current folder was removed
        return True


def _of_python() -> list[_Setting]:
    found = [
        _Setting("the current folder", os.getcwd, os.chdir),
        _Setting("environment variables", _environment, _set_environment),
        _Setting("the search path", lambda: list(sys.path), lambda value: sys.path.__setitem__(slice(None), value)),
        _Setting("the level of logging", lambda: (logging.root.level, logging.root.manager.disable), _set_logging),
        _Setting("the locale", lambda: locale.setlocale(locale.LC_ALL), lambda value: locale.setlocale(locale.LC_ALL, value)),
    ]
    if threading.current_thread() is threading.main_thread():
        found += [
            _Setting("signal handlers", lambda: [signal.getsignal(number) for number in _SIGNALS], _set_signals),
        ]
    return found


def _of_numpy() -> list[_Setting]:
    numpy = sys.modules.get("numpy")
    return [] if numpy is None else [_Setting("NumPy's error state", numpy.geterr, lambda value: numpy.seterr(**value))]


def _of_torch() -> list[_Setting]:
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    return [
        _Setting("PyTorch's gradient mode", torch.is_grad_enabled, torch.set_grad_enabled, True),
        _Setting("PyTorch's default dtype", torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        _Setting("PyTorch's number of threads", torch.get_num_threads, torch.set_num_threads),
        _Setting("PyTorch's determinism", torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    ]


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _set_environment(values: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(values)


def _set_logging(values: tuple[int, int]) -> None:
    logging.root.setLevel(values[0])
    logging.disable(values[1])


def _set_signals(handlers: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        if handler is not None:  # one that was not set from Python cannot be set again
            signal.signal(number, handler)


def _generators() -> dict[str, Any]:
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    return {
        "python": random.getstate(),
        "numpy": None if numpy is None else numpy.random.get_state(),
        "torch": None if torch is None else torch.get_rng_state(),
    }


def _restore_generators(states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    if states["numpy"] is not None:
        sys.modules["numpy"].random.set_state(states["numpy"])
    if states["torch"] is not None:
        sys.modules["torch"].set_rng_state(states["torch"])


def _definitions() -> list[tuple[Any, str, Any]]:
    """Return functions and classes of Glassbench and of the built-ins: where each is, under which name, and what it is."""
    modules = [builtins, *(m for name, m in list(sys.modules.items()) if name.split(".")[0].startswith("glassbench"))]
    found: list[tuple[Any, str, Any]] = [(m, name, value) for m in modules for name, value in list(vars(m).items())]
    classes = {v for m, _, v in found if isinstance(v, type) and str(v.__module__).startswith("glassbench")}
    found += [(owner, name, value) for owner in classes for name, value in list(vars(owner).items())]
    return [(owner, name, value) for owner, name, value in found if isinstance(value, _DEFINED)]


def _define(definitions: list[tuple[Any, str, Any]]) -> list[str]:
    replaced = [(owner, name, value) for owner, name, value in definitions if vars(owner).get(name) is not value]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    names = sorted({f"{getattr(owner, '__module__', None) or owner.__name__}.{name}" for owner, name, _ in replaced})
    return names[:3] + ([f"{len(names) - 3} more functions"] if len(names) > 3 else [])
