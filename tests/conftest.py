"""What holds for all tests: drawn examples are never refused because a machine is slow; numbers that must stay as they were."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, and threads of each would wait for those of others

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def pinned(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """Hold JSON values against those in `golden/` beside the test file, numbers to four digits.

    Where a number changes on purpose, its file changes with it: `GLASSBENCH_GOLDEN=write pytest` of that test, and the difference
    is read before it is committed.
    """
    folder = request.path.parent / "golden"

    def hold(name: str, content: Any) -> None:
        path, found = folder / f"{name}.json", json.loads(json.dumps(content))
        if os.environ.get("GLASSBENCH_GOLDEN") == "write":
            folder.mkdir(exist_ok=True)
            path.write_text(written(found))
        assert list(unequal(json.loads(path.read_text()), found)) == []

    return hold


def written(content: Any) -> str:
    """Return JSON with a line for each entry of its first level, numbers to seven digits."""

    def short(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.7g}")
        if isinstance(value, dict):
            return {key: short(one) for key, one in value.items()}
        return [short(one) for one in value] if isinstance(value, list) else value

    lines = [
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(short(one), ensure_ascii=False)}" for key, one in content.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def unequal(expected: Any, found: Any, where: str = "") -> Iterator[tuple[Any, ...]]:
    """Yield where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in {**expected, **found}:
            yield from unequal(expected.get(key), found.get(key), f"{where}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, pair in enumerate(zip(expected, found, strict=True)):
            yield from unequal(*pair, f"{where}/{place}")
    elif isinstance(expected, float) and isinstance(found, float):
        if found != pytest.approx(expected, rel=1e-4, abs=1e-9):
            yield where, expected, found
    elif (type(expected), expected) != (type(found), found):
        yield where, expected, found
