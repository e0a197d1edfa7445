"""What `verdict.json` must look like to be read."""

import json
from pathlib import Path
from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from glassbench.contracts.evidence import Measure
from glassbench.experiments.gates import EXIT_CODES, VerdictWord
from glassbench.storage.files import read_object, understood


class _MoreRows(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    even: int
    likely: int


class _Gate(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="allow")  # type: ignore[misc]

    measure: str
    by: list[str] | None
    group: dict[str, str] | None
    at_least: float | None
    at_most: float | None
    verdict: VerdictWord
    reason: str
    more_rows: NotRequired[_MoreRows | None]
    compared: list[Measure]


class _Verdict(TypedDict):
    __pydantic_config__ = ConfigDict(strict=True, extra="allow")  # type: ignore[misc]

    verdict: VerdictWord
    exit_code: NotRequired[Literal[0, 1, 3]]
    gates: list[_Gate]


_FORM = TypeAdapter(_Verdict)


def read_verdict(path: Path) -> dict[str, Any]:
    """Return the content of a run's `verdict.json` after checking its form.

    Raises:
        RunError: It is missing or damaged.
    """
    content = read_object(path)
    with understood(path, fix="`glassbench audit` the run again"):
        _FORM.validate_json(json.dumps(content), strict=True)
    return {"exit_code": EXIT_CODES[content["verdict"]], **content}
