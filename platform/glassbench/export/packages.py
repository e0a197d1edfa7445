"""Packages that exporting and serving need and a plain installation does not bring."""

import importlib.util
from collections.abc import Mapping, Sequence

from glassbench.errors import ComponentError

_PACKAGES: Mapping[str, Sequence[str]] = {
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "serve": ("fastapi", "uvicorn"),
}


def need(extra: str) -> None:
    """Raise `ComponentError` where packages of an extra are not installed."""
    lacking = [name for name in _PACKAGES[extra] if importlib.util.find_spec(name) is None]
    if lacking:
        raise ComponentError(
            f"this needs packages that are not installed: {', '.join(lacking)}",
            got=f"no {lacking[0]}",
            fix=f"pip install 'glassbench[{extra}]'",
        )
