"""How a command ends when someone stops it, hangs up or no longer reads."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from glassbench.cli.app import COMMANDS, invoke

GLASSBENCH = [sys.executable, "-P", "-c", "from glassbench.cli import main; main()"]
LONG = {
    "name": "long",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 100_000, "early_stopping": None, "checkpoint_every": 0},
    "audits": ["performance"],
}


@pytest.fixture
def long(tmp_path):
    """An experiment that trains until it is stopped."""
    (tmp_path / "long.yaml").write_text(json.dumps(LONG))
    return tmp_path / "long.yaml"


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGHUP, signal.SIGINT))]
)
def test_a_signal_in_training_is_resumable_and_says_so(long, tmp_path, number):
    root = tmp_path / "my runs"
    command = [*GLASSBENCH, "run", str(long), "--runs", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while not list(root.glob("*/checkpoints/*.safetensors")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    (folder,) = (path.parent for path in root.glob("*/status.json"))
    assert process.returncode == 128 + number
    assert f"glassbench resume {folder.name} --runs '{root}'" in said
    assert "Traceback" not in said


def test_where_there_is_no_run_none_is_named(tmp_path):
    os.mkfifo(tmp_path / "rows")
    code = (
        "import os, signal, click; from glassbench.cli import app; "
        "app.app.get_command = lambda *_: click.Command('x', callback=lambda: os.kill(os.getpid(), signal.SIGTERM)); "
        "raise SystemExit(app.invoke(['verify']))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (143, "stopped by SIGTERM")


def test_a_reader_that_goes_away_is_no_error(done, root):
    for arguments in (["runs", "show", done.folder], ["runs", "show", done.folder, "--json"], ["plugins", "list"]):
        read, write = os.pipe()
        os.close(read)
        over = subprocess.run([*GLASSBENCH, *map(str, arguments)], stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        assert (over.returncode, over.stderr) == (0, "")


def completed(monkeypatch, capsys, shell, words):
    for name, value in (("_GLASSBENCH_COMPLETE", f"{shell}_complete"), ("COMP_WORDS", words), ("COMP_CWORD", "1")):
        monkeypatch.setenv(name, value)
    assert invoke([]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_completion_answers_in_the_words_of_each_shell(monkeypatch, capsys):
    assert completed(monkeypatch, capsys, "bash", "glassbench ver") == "plain,verify\n"
    assert completed(monkeypatch, capsys, "zsh", "glassbench ver").startswith("plain\nverify\n")


def test_every_command_is_completed(monkeypatch, capsys):
    answer = completed(monkeypatch, capsys, "bash", "glassbench ")
    assert {line.partition(",")[2] for line in answer.splitlines()} == set(COMMANDS)


COMPLETE = {
    "bash": "source {script}; COMP_WORDS=(glassbench ver); COMP_CWORD=1; _glassbench_completion glassbench; "
    "echo ${{COMPREPLY[@]}}",
    "zsh": "autoload -U compinit; compinit -u -D; _describe() {{ print -r -- $completions_with_descriptions }}; "
    "source {script}; words=(glassbench ver); CURRENT=2; _glassbench_completion",
    "fish": "source {script}; complete -C 'glassbench ver'",
}


@pytest.mark.parametrize("shell", list(COMPLETE))
def test_completion_works_in_the_shell(tmp_path, shell):
    program = shutil.which("glassbench", path=os.path.dirname(sys.executable))
    if shutil.which(shell) is None or program is None:
        pytest.skip(f"{shell} or the command is not installed")
    path = {"PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    asking = {**os.environ, "_GLASSBENCH_COMPLETE": f"{shell}_source"}
    source = subprocess.run([program], env=asking, capture_output=True, text=True)
    (tmp_path / "script").write_text(source.stdout)
    asked = COMPLETE[shell].format(script=tmp_path / "script")
    done = subprocess.run([shell, "-c", asked], env={**os.environ, **path}, capture_output=True, text=True)
    assert "verify" in done.stdout, done.stderr


def test_json_says_that_it_was_stopped(long, tmp_path):
    command = [*GLASSBENCH, "run", str(long), "--runs", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while not list(tmp_path.glob("*/checkpoints/*.safetensors")):
            assert process.poll() is None
            time.sleep(0.02)
        process.terminate()
        answer, _ = process.communicate(timeout=60)
    assert "glassbench resume" in json.loads(answer)["error"]["fix"]
