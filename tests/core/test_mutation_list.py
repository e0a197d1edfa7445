"""What scripts/mutate is told stands as it says: every change can still be made, and every room has files and tests."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "platform", ROOT / "plugins", ROOT / "audits"]
CHANGES = tomllib.loads((ROOT / "tests" / "mutation_by_hand.toml").read_text())["change"]
ROOMS = tomllib.loads((ROOT / "tests" / "mutation.toml").read_text())["rooms"]


@pytest.mark.parametrize("change", CHANGES, ids=[change["says"] for change in CHANGES])
def test_a_change_by_hand_can_be_made(change):
    (path,) = [source / change["file"] for source in SOURCES if (source / change["file"]).is_file()]
    assert path.read_text().count(change["old"]) == 1
    assert change["new"] != change["old"]
    assert all((ROOT / "tests" / test).is_file() for test in change["tests"])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_changes_has_files_and_tests(room):
    for part in ROOMS[room]["source"]:
        assert [path for source in SOURCES for path in source.glob(part)], part
    assert all((ROOT / "tests" / test).exists() for test in ROOMS[room]["tests"])
