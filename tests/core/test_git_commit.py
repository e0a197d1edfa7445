"""A received repository tells its commit, and nothing that it configures runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from glassbench.system.git_commit import commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    plain = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, env=plain, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path):
    made = tmp_path / "tree"
    made.mkdir()
    git(made, "init", "-q")
    (made / "a.txt").write_text("a\n")
    (made / "folder").mkdir()
    git(made, "add", ".")
    git(made, "commit", "-q", "-m", "first")
    return made


def head(tree):
    return git(tree, "rev-parse", "HEAD")


def test_the_commit_and_its_state_are_those_that_git_tells(tree):
    assert commit(tree / "folder") == {"commit": head(tree), "dirty": False}
    (tree / "new.txt").write_text("untracked files do not count\n")
    assert commit(tree)["dirty"] is False
    (tree / "a.txt").write_text("b\n")
    assert commit(tree) == {"commit": head(tree), "dirty": True}
    git(tree, "add", ".")
    assert commit(tree)["dirty"] is True


def test_a_change_right_after_a_commit_is_seen(tree):
    for number in range(15):
        (tree / "a.txt").write_text(f"{number:02}\n")
        git(tree, "commit", "-q", "-a", "-m", "next")
        (tree / "a.txt").write_text(f"{number + 50}\n")
        assert commit(tree)["dirty"] is True


def test_packed_references_a_detached_head_and_linked_trees(tree, tmp_path):
    git(tree, "pack-refs", "--all")
    git(tree, "gc", "-q")
    assert commit(tree) == {"commit": head(tree), "dirty": False}
    git(tree, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert commit(tmp_path / "linked") == {"commit": head(tree), "dirty": False}
    git(tree, "checkout", "-q", "--detach")
    assert commit(tree) == {"commit": head(tree), "dirty": False}


def test_a_repository_of_long_hashes(tmp_path):
    git(tmp_path, "init", "-q", "--object-format=sha256")
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert commit(tmp_path) == {"commit": head(tmp_path), "dirty": False}
    assert len(head(tmp_path)) == 64


def evil(path: Path, mark: Path):
    path.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    path.chmod(0o755)
    return path


def monitor(tree, program):
    git(tree, "config", "core.fsmonitor", str(program))


def include(tree, program):
    (tree / "more").write_text(f"[core]\n\tfsmonitor = {program}\n")
    git(tree, "config", "include.path", str(tree / "more"))


def clean_filter(tree, program):
    (tree / ".gitattributes").write_text("* filter=evil diff=evil\n")
    for key in ("clean", "smudge", "process"):
        git(tree, "config", f"filter.evil.{key}", str(program))
    git(tree, "config", "diff.evil.textconv", str(program))
    os.utime(tree / "a.txt", (1, 1))


def hook(tree, program):
    hooks = tree / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        evil(hooks / name, program.parent / "ran")
    git(tree, "config", "core.hooksPath", str(hooks))
    os.utime(tree / "a.txt", (1, 1))


def link_file(tree, program):
    monitor(tree, program)
    (tree / ".git").rename(tree / "elsewhere")
    (tree / ".git").write_text("gitdir: elsewhere\n")


@pytest.mark.parametrize("attack", [monitor, include, clean_filter, hook, link_file])
def test_nothing_that_a_repository_configures_runs(tree, tmp_path, attack):
    mark = tmp_path / "ran"
    attack(tree, evil(tmp_path / "program", mark))
    subprocess.run(["git", "status"], cwd=tree, capture_output=True)
    assert mark.exists(), "git itself runs it, or this test tells nothing"
    mark.unlink()
    os.utime(tree / "a.txt", (2, 2))
    assert commit(tree)["commit"] is not None
    assert not mark.exists()


def test_nothing_that_the_environment_or_a_submodule_names_runs(tree, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    program = evil(tmp_path / "program", mark)
    git(tree, "clone", "-q", str(tree), "inner")
    git(tree, "add", "inner")
    monitor(tree / "inner", program)
    values = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": str(program)}
    for name, value in {**values, "GIT_EXTERNAL_DIFF": str(program), "GIT_DIR": str(tmp_path / "none")}.items():
        monkeypatch.setenv(name, value)
    assert commit(tree)["commit"] is not None
    assert not mark.exists()


def test_a_program_called_git_in_the_folder_is_not_run(tree, tmp_path, monkeypatch):
    evil(tree / "git", tmp_path / "ran")
    monkeypatch.chdir(tree)
    for path in ("", ".", f":{os.environ['PATH']}", "./"):
        monkeypatch.setenv("PATH", path)
        commit(tree)
        assert not (tmp_path / "ran").exists()


def fifo(path):
    path.unlink()
    os.mkfifo(path)


def text(content):
    return lambda path: path.write_text(content)


@pytest.mark.parametrize("name", ["HEAD", "index", "packed-refs"])
@pytest.mark.parametrize(
    "damage",
    [fifo, text(""), text("ref: ref: refs/heads/../../../a.txt"), text("ref: refs/heads/none"), text("\0" * 99)],
)
def test_odd_files_of_a_repository_cost_nothing(tree, name, damage):
    git(tree, "pack-refs", "--all")
    damage(tree / ".git" / name)
    assert set(commit(tree)) == {"commit", "dirty"}


def test_no_repository_is_said(tmp_path):
    assert commit(tmp_path) == {"commit": None, "dirty": None}
    (tmp_path / ".git").write_text("gitdir: /dev/zero\n")
    assert commit(tmp_path) == {"commit": None, "dirty": None}
