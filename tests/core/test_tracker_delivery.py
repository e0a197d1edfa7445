"""What one tracker is told, in which order, and what becomes of one that fails; a plain process stands for the tracker's own."""

import json
import os
import queue
import select
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from glassbench.pipeline import tracker_delivery
from glassbench.pipeline.tracker_delivery import Delivery, Message, _limit, _remove_strange, _started
from glassbench.system.child_python import safe_environment

CHILD = """
import json, os, sys, time

opening = json.loads(sys.stdin.readline())
does = opening["settings"]


def take(event, content):
    with open(opening["run"]["heard"], "a") as file:
        file.write(json.dumps([event, content]) + chr(10))
    print("took", event, file=sys.stderr, flush=True)
    action = does.get(event)
    if action == "hang":
        time.sleep(600)
    if action == "exit":
        os._exit(3)
    if action == "fork" and os.fork() == 0:
        time.sleep(600)
    print(json.dumps({"error": "no" + chr(10) + " server " + 500 * "x"} if action == "error" else {}), flush=True)
    if action in ("error", "leave"):
        os._exit(4)


take("made", opening["run"]["resumed"])
for event in map(json.loads, sys.stdin):
    take(event["event"], event.get("n"))
    if event["event"] == "end":
        break
if does.get("ended"):
    time.sleep(0.05)
    take("ended", None)
"""


def child(log, made=subprocess.Popen, **given) -> Any:
    """Start the stand-in for a tracker's process: it writes down what it hears and does what its settings say."""
    command = [sys.executable, "-I", "-S", "-c", CHILD]
    return made(command, stdin=-1, stdout=-1, stderr=log, text=True, process_group=0, **given)


@pytest.fixture(autouse=True)
def plain_process(monkeypatch):
    monkeypatch.delenv("GLASSBENCH_TRACKER_SECONDS", raising=False)
    monkeypatch.setattr(tracker_delivery, "_started", child)


def delivery(run, **does: str) -> Delivery:
    return Delivery("spy", run, {"name": "spy", "settings": does, "run": {"heard": str(run / "heard.jsonl")}})


def lines(path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def heard(run) -> list[Any]:
    return lines(run / "heard.jsonl")


def told(run) -> list[str]:
    return [line["told"] for line in lines(run / "trackers" / "spy.jsonl")]


def metric(n: int, *, once: bool = True) -> Message:
    return Message(key=f"step {n}", content={"event": "metric", "n": n}, once=once)


AUDITED = Message(key="audit a", content={"event": "audited", "n": 0})


def deliver(run, *messages: Message, **does: str) -> Delivery:
    """Tell a tracker some messages and wait until it knows them."""
    made = delivery(run, **does)
    for message in messages:
        made.tell(message)
    made.close()
    return made


def test_messages_come_in_the_order_they_were_told_and_each_is_noted_when_taken(tmp_path):
    made = deliver(tmp_path, *(metric(n) for n in (5, 3, 4)), AUDITED)
    events = [["metric", 5], ["metric", 3], ["metric", 4], ["audited", 0]]
    assert heard(tmp_path) == [["made", False], *events, ["end", None]]
    assert told(tmp_path) == ["step 5", "step 3", "step 4", "audit a"]
    assert made.complaint() is None
    assert not made.begun


def test_nothing_is_started_where_there_is_nothing_to_tell(tmp_path):
    made = deliver(tmp_path)
    assert not made.begun
    assert made.complaint() is None
    assert not list(tmp_path.iterdir())


def test_the_same_thing_is_told_once_unless_it_is_news_each_time(tmp_path):
    deliver(tmp_path, metric(1), metric(1), metric(2), metric(1, once=False), metric(1))
    assert heard(tmp_path)[1:-1] == [["metric", 1], ["metric", 2], ["metric", 1]]
    assert told(tmp_path) == ["step 1", "step 2", "step 1"]


def test_a_later_process_tells_what_is_new_and_says_that_it_goes_on(tmp_path):
    deliver(tmp_path, metric(1), metric(2))
    before = len(heard(tmp_path))
    deliver(tmp_path, metric(1), metric(2))
    assert len(heard(tmp_path)) == before  # nothing new: no process
    deliver(tmp_path, metric(1), metric(2), metric(3), metric(2, once=False))
    assert heard(tmp_path)[before:] == [["made", True], ["metric", 3], ["metric", 2], ["end", None]]
    assert told(tmp_path) == ["step 1", "step 2", "step 3", "step 2"]


def test_an_error_ends_the_tracker_is_told_once_and_a_later_process_goes_on_from_there(tmp_path):
    made = deliver(tmp_path, metric(1), AUDITED, metric(2), audited="error")
    assert heard(tmp_path) == [["made", False], ["metric", 1], ["audited", 0]]
    assert told(tmp_path) == ["step 1"]
    said = "the tracker 'spy' was left out, and `glassbench resume` tells it what it missed: no server "
    assert made.complaint() == said + (400 - len("no\n server ")) * "x"
    assert made.complaint() is None
    made.tell(metric(3))
    assert not made.begun  # nothing more in this process
    deliver(tmp_path, metric(1), AUDITED, metric(2))
    assert heard(tmp_path)[3:] == [["made", True], ["audited", 0], ["metric", 2], ["end", None]]


def test_one_that_was_never_made_is_not_resumed_the_next_time(tmp_path):
    made = deliver(tmp_path, metric(1), made="error")
    assert "no server" in str(made.complaint())
    assert told(tmp_path) == []
    deliver(tmp_path, metric(1))
    assert heard(tmp_path) == [["made", False], ["made", False], ["metric", 1], ["end", None]]


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ({"made": "exit"}, "its process ended with exit code 3 while it was being made"),
        ({"metric": "exit"}, "its process ended with exit code 3 while it was told 'metric'"),
        ({"made": "leave"}, "its process ended with exit code 4 while it was told 'metric'"),
        ({"end": "exit"}, "its process ended with exit code 3 while it was ending"),
    ],
)
def test_a_process_that_ends_is_told_with_what_it_was_at(tmp_path, does, said):
    made = deliver(tmp_path, metric(1), **does)
    assert str(made.complaint()).endswith(f"what it missed: {said}")
    assert told(tmp_path) == (["step 1"] if "end" in does else [])


def test_a_tracker_gets_so_many_seconds_for_an_event(tmp_path, monkeypatch):
    made = delivery(tmp_path, metric="hang")
    monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", "0.25")
    made.tell(metric(1))
    made._thread.join()  # type: ignore[union-attr]
    assert made._process.returncode == -9  # type: ignore[union-attr]
    said = made.complaint()
    assert str(said).endswith("it was not done after 0.25 s while it was told 'metric'")
    assert told(tmp_path) == []
    made.close()


def test_whoever_does_not_keep_up_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    ours, theirs = os.pipe()
    monkeypatch.setattr(tracker_delivery, "_started", lambda log: child(log, pass_fds=[theirs]))
    made = delivery(tmp_path, metric="fork", audited="hang")
    for message in (metric(1), AUDITED):
        made.tell(message)
    while ["audited", 0] not in heard(tmp_path):
        assert made.complaint() is None
    os.close(theirs)
    made.close(0.01)
    assert select.select([ours], [], [], 30)[0], "a process that the tracker started still runs"
    assert os.read(ours, 1) == b""
    os.close(ours)
    assert str(made.complaint()).endswith("what it missed: it did not keep up")
    assert told(tmp_path) == ["step 1"]


class Stubborn(subprocess.Popen[str]):
    """A process that never ends within the time it gets."""

    def wait(self, timeout: float | None = None) -> int:
        if timeout is not None:
            raise subprocess.TimeoutExpired("", timeout)
        return super().wait()


def test_a_process_may_send_what_is_left_but_not_for_ever(tmp_path, monkeypatch):
    assert deliver(tmp_path, metric(1), ended="yes").complaint() is None
    assert heard(tmp_path)[-2:] == [["end", None], ["ended", None]]
    monkeypatch.setattr(tracker_delivery, "_started", lambda log: child(log, made=Stubborn))
    made = deliver(tmp_path, metric(2))
    assert str(made.complaint()).endswith("its process did not end within 30 s")
    assert told(tmp_path) == ["step 1", "step 2"]


def test_what_a_tracker_says_on_the_side_is_in_its_log(tmp_path):
    deliver(tmp_path, metric(1))
    deliver(tmp_path, metric(2))
    assert (tmp_path / "trackers" / "spy.log").read_text().splitlines() == ["took made", "took metric", "took end"] * 2


def test_a_folder_that_cannot_be_written_costs_the_tracker_alone(tmp_path):
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "spy.log").mkdir()
    made = deliver(tmp_path, metric(1))
    assert "spy.log" in str(made.complaint())
    assert heard(tmp_path) == []


@pytest.mark.parametrize(
    ("limit", "given", "waited"),
    [("2", None, [60.0, 2.0]), ("90", None, [90.0, 90.0]), ("2", 5.0, [5.0, 5.0]), ("2", 0.0, [0.0, 0.0])],
)
def test_how_long_the_end_of_a_run_waits(tmp_path, monkeypatch, limit, given, waited):
    monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", limit)
    made, calls = delivery(tmp_path), []
    made._made = SimpleNamespace(wait=calls.append)  # type: ignore[assignment]
    thread = SimpleNamespace(join=lambda *seconds: calls.extend(seconds), is_alive=lambda: False)
    made._thread, made._waiting = thread, queue.SimpleQueue()  # type: ignore[assignment]
    made.close(given)
    assert calls == waited
    assert made._waiting.get_nowait() is None
    assert made.complaint() is None


def test_what_is_no_plain_file_is_removed_from_a_trackers_folder_and_nothing_else(tmp_path):
    folder, elsewhere = tmp_path / "output", tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    elsewhere.mkdir()
    for path in (folder / "a.csv", folder / "deep" / "b.csv", elsewhere / "c.csv"):
        path.write_text("1")
    (folder / "latest").symlink_to("a.csv")
    (folder / "deep" / "out").symlink_to(elsewhere)
    os.mkfifo(folder / "deep" / "pipe")
    (elsewhere / "link").symlink_to("c.csv")
    (tmp_path / "linked").symlink_to(elsewhere)
    for place in (folder, tmp_path / "linked", tmp_path / "nowhere"):
        _remove_strange(place)
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")) == ["a.csv", "deep", "deep/b.csv"]
    assert sorted(p.name for p in elsewhere.iterdir()) == ["c.csv", "link"]


def test_links_go_when_a_trackers_process_is_over(tmp_path):
    (tmp_path / "trackers" / "spy").mkdir(parents=True)
    (tmp_path / "trackers" / "spy" / "latest").symlink_to("x")
    (tmp_path / "trackers" / "other").symlink_to("x")
    deliver(tmp_path, metric(1))
    assert not list((tmp_path / "trackers" / "spy").iterdir())
    assert (tmp_path / "trackers" / "other").is_symlink()


@pytest.mark.parametrize(("written", "seconds"), [(None, 30.0), ("2.5", 2.5), ("soon", 30.0), ("", 30.0)])
def test_how_long_one_event_may_take(monkeypatch, written, seconds):
    if written is not None:
        monkeypatch.setenv("GLASSBENCH_TRACKER_SECONDS", written)
    assert _limit() == seconds


def test_the_process_of_a_tracker_is_python_without_the_working_folder_and_in_a_group_of_its_own(monkeypatch):
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *rest, **named: calls.append((rest, named)))
    _started(7)
    ((((command,), named)),) = calls
    assert command == [sys.executable, "-P", "-m", "glassbench.pipeline.tracker_process"]
    assert named.pop("env") == safe_environment(os.environ)
    assert named == {"stdin": -1, "stdout": -1, "stderr": 7, "text": True, "process_group": 0}
