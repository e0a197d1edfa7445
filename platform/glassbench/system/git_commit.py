"""The commit that a folder stands at, read without running what its repository configures.

A received folder may bring a `.git` whose configuration names programs: a file system monitor, filters, hooks. `git status` would
run them. So the commit is read from the repository's files, and git compares the files with it from an empty repository of our
own, which borrows nothing but the objects and a copy of the index.
"""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"refs/[A-Za-z0-9_][^\x00-\x20\x7f~^:?*\[\\]*")
_LONGEST = 1 << 26
_LARGEST_INDEX = 1 << 28
_SECONDS = 5
_LINKS = 5

_FORMAT = "[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{more}"
_SHA256 = "[extensions]\n\tobjectformat = sha256\n"


def commit(folder: Path) -> dict[str, Any]:
    """Return the commit checked out around a folder and whether tracked files differ from it.

    Args:
        folder: Any folder of the working tree.

    Returns:
        `commit`: its hash, or None where there is no repository or none that can be read; `dirty`: None where it is not known.
        Submodules are not looked into.
    """
    try:
        found = _repository(folder)
        if found is None:
            return {"commit": None, "dirty": None}
        tree, repository = found
        head = _head(repository)
        return {"commit": head, "dirty": None if head is None else _differs(tree, repository, head)}
    except (OSError, ValueError):
        return {"commit": None, "dirty": None}


def _repository(folder: Path) -> tuple[Path, Path] | None:
    """Return the working tree around a folder and its repository."""
    for tree in (folder.absolute(), *folder.absolute().parents):
        dot = tree / ".git"
        if dot.is_dir():
            return tree, dot
        if dot.is_file():
            word, _, place = _read(dot).partition(":")
            return (tree, tree / place.strip()) if word == "gitdir" and place.strip() else None
    return None


def _common(repository: Path) -> Path:
    """Return where a linked working tree keeps its references and objects."""
    path = repository / "commondir"
    return repository / _read(path).strip() if path.is_file() else repository


def _head(repository: Path) -> str | None:
    text = _read(repository / "HEAD").strip()
    for _ in range(_LINKS):
        if not text.startswith("ref:"):
            return text if _HASH.fullmatch(text) else None
        name = text[4:].strip()
        if not _NAME.fullmatch(name) or ".." in name:
            return None
        text = _reference(repository, name)
    return None


def _reference(repository: Path, name: str) -> str:
    """Return what a reference holds; nothing where there is none."""
    common = _common(repository)
    for place in (repository, common):
        if (place / name).is_file():
            return _read(place / name).strip()
    packed = common / "packed-refs"
    lines = _read(packed).splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


def _read(path: Path) -> str:
    """Read a small regular file; nothing else is opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST:
            raise ValueError(f"{path} is no small file")
        return file.read()


def _differs(tree: Path, repository: Path, head: str) -> bool | None:
    """Return whether tracked files differ from a commit; None where git is not there or cannot tell."""
    program, index, objects = _program(), repository / "index", _common(repository) / "objects"
    if program is None or not index.is_file() or index.stat().st_size > _LARGEST_INDEX or not objects.is_dir():
        return None
    with tempfile.TemporaryDirectory(prefix="glassbench-git-") as place:
        own = _empty_repository(Path(place), head)
        written = index.stat()
        shutil.copyfile(index, own / "index")
        # Git compares again whatever was changed no earlier than its index: a younger copy would hide a change within one tick.
        os.utime(own / "index", ns=(written.st_atime_ns, written.st_mtime_ns))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        settings = {
            "GIT_DIR": str(own),
            "GIT_WORK_TREE": str(tree),
            "GIT_OBJECT_DIRECTORY": str(objects.absolute()),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CEILING_DIRECTORIES": str(own.parent),
            "HOME": str(own),
            "XDG_CONFIG_HOME": str(own),
            "LC_ALL": "C",
        }
        command = [program, "--no-replace-objects", "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"]
        try:
            done = subprocess.run(
                command, cwd=own, env=kept | settings, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None


def _program() -> str | None:
    """Return git from an absolute entry of the search path; one in the current folder is never run."""
    places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(place)]
    return shutil.which("git", path=os.pathsep.join(places))


def _empty_repository(place: Path, head: str) -> Path:
    """Make a repository without configuration, hooks or references whose HEAD is a commit."""
    own = place / "git"
    (own / "refs").mkdir(parents=True)
    (own / "objects").mkdir()
    long = len(head) == 64
    (own / "config").write_text(_FORMAT.format(version=1 if long else 0, more=_SHA256 if long else ""), encoding="utf-8")
    (own / "HEAD").write_text(f"{head}\n", encoding="utf-8")
    return own
