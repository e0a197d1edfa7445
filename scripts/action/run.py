"""The action's step `Run`: run Glassbench, and say what it came to in outputs, the job's summary and a badge.

The step itself always succeeds; the action's last step ends with the exit code.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

COLOURS = {"pass": "brightgreen", "fail": "red", "insufficient evidence": "yellow", "not applicable": "lightgrey"}


def main() -> None:
    """Run the command that the environment names."""
    more = [line.strip() for line in os.environ["ARGUMENTS"].splitlines() if line.strip()]
    subjects = shlex.split(os.environ["SUBJECT"])
    command = ["glassbench", os.environ["COMMAND"], *subjects, *more, "--runs", os.environ["RUNS"], "--json"]
    print(shlex.join(command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    answer = _answer(done.stdout)
    verdict = str(answer.get("verdict", "error"))
    summary = _summary(answer)
    _append("GITHUB_STEP_SUMMARY", summary.read_text(encoding="utf-8"))
    outputs = {"verdict": verdict, "exit-code": done.returncode, "summary": summary}
    outputs |= {"folder": answer.get("folder", ""), "run": answer.get("run", "")}
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in outputs.items()))
    if badge := os.environ["BADGE"]:
        Path(badge).parent.mkdir(parents=True, exist_ok=True)
        shown = {"schemaVersion": 1, "label": "glassbench", "message": verdict, "color": COLOURS.get(verdict, "red")}
        Path(badge).write_text(json.dumps(shown), encoding="utf-8")


def _answer(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        print(text, file=sys.stderr)
        return {}
    return content if isinstance(content, dict) else {}


def _summary(answer: dict[str, Any]) -> Path:
    """Return the file that holds the run's summary, or what went wrong."""
    if "folder" in answer:
        return Path(answer["folder"]) / "summary.md"
    parts = answer.get("error") or {"problem": "it ended without an answer; see the log"}
    lines = [f"{name}: {value}" for name, value in parts.items() if value]
    print("\n".join(lines), file=sys.stderr)
    path = Path(tempfile.mkdtemp()) / "summary.md"
    path.write_text("\n".join(["## Glassbench: error", "", *(f"    {line}" for line in lines), ""]), encoding="utf-8")
    return path


def _append(variable: str, text: str) -> None:
    with open(os.environ[variable], "a", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
