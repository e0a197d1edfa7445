"""What the files of a run must look like to be reported; what a run has not written yet may be missing."""

from typing import Any

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

_LOOSE = ConfigDict(strict=True, extra="allow")


class _Target(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    name: str
    kind: str
    classes: list[str]


class _Schema(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    unit: str
    target: _Target
    features: list[dict[str, Any]]
    sensitive: list[str]
    conditions: list[str]


class _Data(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    source: str | None
    notes: list[str]
    split: str
    unit: str
    fingerprint: str
    rows: dict[str, int]
    target: dict[str, dict[str, float]]
    groups: dict[str, dict[str, dict[str, int]]]


class _Code(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    commit: str | None
    dirty: bool | None


class _Acceptance(TypedDict):
    when: str
    changes: list[str]


class _Mitigation(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    use: str
    when: str
    done: str
    assumes: str
    caution: str


class _Cleaned(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    rows: int
    dropped: int
    relabelled: int


class _CleaningChange(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    split: str
    action: str
    measure: str
    rows: int


class _EmptiedGroup(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    feature: str
    group: str
    split: str


class _Cleaning(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    file: str
    version: str
    test_labels: bool
    splits: dict[str, _Cleaned]
    changes: list[_CleaningChange]
    classes: dict[str, dict[str, _Cleaned]]
    groups: dict[str, dict[str, dict[str, _Cleaned]]]
    listed: int
    emptied: list[_EmptiedGroup]


class _Provenance(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    run: str
    created: str
    command: str
    code: _Code
    seed: int
    data: str
    platform: str
    hardware: dict[str, Any]
    packages: dict[str, str]
    plugins: list[dict[str, Any]]
    audits_available: list[str]
    audits_unfit: int
    questions: dict[str, str]
    decides: str
    training: dict[str, Any]
    callbacks: list[str]
    mitigations: list[_Mitigation]
    cleaning: _Cleaning
    accepted_changes: list[_Acceptance]


class _Phase(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    seconds: float


class _Status(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    phases: dict[str, _Phase]


class _Use(TypedDict):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    use: str


class _About(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    purpose: str
    owner: str
    limits: str
    contacts: list[str]


class _Resolved(TypedDict, total=False):
    __pydantic_config__ = _LOOSE  # type: ignore[misc]

    name: str
    about: _About
    dataset: _Use
    task: _Use
    model: _Use
    trainer: _Use
    audits: dict[str, dict[str, Any] | None] | list[str]
    gates: list[dict[str, Any]]
    seed: int


FORMS: dict[str, TypeAdapter[Any]] = {
    "schema": TypeAdapter(_Schema),
    "data": TypeAdapter(_Data),
    "provenance": TypeAdapter(_Provenance),
}
STATUS_FORM: TypeAdapter[Any] = TypeAdapter(_Status)
RESOLVED_FORM: TypeAdapter[Any] = TypeAdapter(_Resolved)
