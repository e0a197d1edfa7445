"""Whatever is damaged in a run's folder is named: nothing is uncaught, nothing unexpected, and no damage is signed."""

import json
import os
import random
import shutil

import pytest

from glassbench import run
from glassbench.cli.app import invoke

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": "logistic-regression",
    "audits": ["performance"],
}
SEED = int(os.environ.get("GLASSBENCH_SEED", "11"))
REST = ("lock", "index.html")
ODD = (None, True, -1, 1e300, 10**400, "", "x", [], {}, [[]], {"a": None}, "\ud800")
TEXTS = (
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"NaN",
    b"\xff\xfe\x00",
    b'{"a": 1, "a": 2}',
    b"- &a [*a, *a]",
    b"\x00" * 99,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(QUICK, runs=tmp_path_factory.mktemp("whole")).folder


def cut(path, chance):
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(max(1, len(content)))])


def flip(path, chance):
    content = bytearray(path.read_bytes() or b"x")
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def replace(path, chance):
    path.write_bytes(chance.choice(TEXTS))


def retype(path, chance):
    """Replace one value somewhere within a JSON file by one of another type."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return replace(path, chance)
    place = content
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.3:
            break
        place = place[key]
    place[key] = chance.choice([value for value in ODD if value != place[key]])
    return path.write_text(json.dumps(content))


def link(path, chance):
    path.unlink()
    path.symlink_to(chance.choice(["/dev/zero", "/etc/hostname", str(path.parent), "nowhere", path.name]))


def pipe(path, chance):
    path.unlink()
    os.mkfifo(path)


def lose(path, chance):
    path.unlink()


DAMAGES = (cut, flip, replace, retype, retype, retype, link, pipe, lose)
COMMANDS = (["verify"], ["report"], ["predict"], ["runs", "show"], ["runs", "list"], ["resume"])


def check(whole, root, number, capsys):
    """Damage one file of a copy of a run and ask every command about it."""
    chance = random.Random(number)
    folder = shutil.copytree(whole, root / whole.name)
    path = chance.choice(sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in REST))
    damage, before = chance.choice(DAMAGES), path.read_bytes()
    damage(path, chance)
    what = f"{number}: {damage.__name__} {path.relative_to(folder)}"
    if path.is_file() and not path.is_symlink() and path.read_bytes() == before:
        return
    (root / "rows.csv").write_text("age\n1\n")
    for command in COMMANDS:
        subject = ["--runs", str(root)] if command == ["runs", "list"] else [str(folder)]
        rows = [str(root / "rows.csv")] if command == ["predict"] else []
        code = invoke([*command, *subject, *rows])
        said = "".join(capsys.readouterr())
        assert "unexpected" not in said, (what, command, said)
        assert "Traceback" not in said, (what, command, said)
        remade = damage is lose and command in (["report"], ["resume"], ["predict"], ["runs", "show"])
        assert code in (1, 2) or command == ["runs", "list"] or remade, (what, command, said)
    if damage is not lose:
        assert invoke(["verify", str(folder)]) in (1, 2), (what, "was signed")
        capsys.readouterr()


@pytest.mark.parametrize("number", range(40))
def test_damage_is_named(whole, tmp_path, number, capsys):
    check(whole, tmp_path, number, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(300))
def test_damage_is_named_at_length(whole, tmp_path, number, capsys):
    check(whole, tmp_path, f"{SEED}/{number}", capsys)
