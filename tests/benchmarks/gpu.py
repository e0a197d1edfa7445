"""One prepared run of at most eight minutes on a GPU, in parts whose results are written as they come.

    python tests/benchmarks/gpu.py --out results.jsonl --data ../shared/data       # on a GPU
    python tests/benchmarks/gpu.py --out results.jsonl --size tiny                 # everywhere, on noise and small texts

Parts, the most wanted first: speed of training through the platform beside a plain loop (in bfloat16 and 32 bits, compiled or
not, with peak memory), figures that were promised on published data, and audits asked on the device beside the CPU. Each adds
a line to the file of results; a part that has one is not done again, so that a run that was cut off goes on. A part begins only
while there is time for it; one that fails is noted, costs no other, and is tried again by the next run.
"""

import argparse
import json
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gpu_audits import audits
from gpu_training import Machine, Precision, Problem, Size, compare, gpt, resnet, unet

import glassbench

EXPERIMENTS = Path(__file__).parent / "experiments"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every part is told.

    Args:
        device: Where to compute.
        size: How much.
        data: The folder of published data.
        repeats: How often speeds are measured.
        threads: Threads of the CPU.
    """

    device: torch.device
    size: Size
    data: Path
    repeats: int
    threads: int


@dataclass(frozen=True)
class Part:
    """Something to measure, and the seconds that it may take on a large GPU."""

    name: str
    seconds: int
    measure: Callable[[Setting], Mapping[str, Any]]


def speed(
    make: Callable[[Size, Path], Problem], precision: Precision, compiled: bool, share: float, setting: Setting
) -> Mapping[str, Any]:
    """Time training beside a plain loop, over a share of the problem's steps."""
    problem = make(setting.size, setting.data)
    problem = replace(problem, data=replace(problem.data, validation=None), steps=max(4, round(share * problem.steps)))
    machine = Machine(device=setting.device, precision=precision, compile=compiled, threads=setting.threads)
    return compare(problem, machine, setting.repeats)


def figure(experiment: str, measure: str, promised: str, tiny: list[str], setting: Setting) -> Mapping[str, Any]:
    """Run an experiment on published data, and return the measure that was promised beside the promise."""
    overrides = [f"dataset.path={setting.data / _PUBLISHED[experiment]}"] if setting.size != "tiny" else tiny
    if setting.device.type == "cpu":
        overrides = [*overrides, "trainer.accelerator=cpu", "trainer.compile=false", "trainer.precision=32-true"]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = glassbench.run(EXPERIMENTS / f"{experiment}.yaml", overrides=overrides, runs=folder)
        measures = run.measures
    found = next(one for one in measures if one.name == measure and one.by is None and one.group is None)
    return {
        "measure": measure,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "promised": promised if setting.size != "tiny" else "nothing at this size",
        "seconds of the whole run": time.monotonic() - started,
    }


_PUBLISHED = {"gpu-fashion": "fashion_mnist", "gpu-shakespeare": "tiny_shakespeare/input.txt.gz"}
_TINY_PICTURES = ["dataset={use: digits}", "trainer.max_epochs=1", "model.depth=small", "model.augment=none"]
_TINY_TEXT = ["dataset={use: pydoc, context: 16}", "trainer.max_steps=4", "model={use: gpt, layers: 1, heads: 4, width: 32}"]

PARTS = (
    Part("speed-resnet-bf16", 40, partial(speed, resnet, "bf16-mixed", False, 0.2)),
    Part("speed-gpt-bf16", 50, partial(speed, gpt, "bf16-mixed", False, 0.04)),
    Part("figure-fashion", 100, partial(figure, "gpu-fashion", "performance.accuracy", "at least 0.935", _TINY_PICTURES)),
    Part("audits", 30, lambda setting: audits(setting.device, rows=16 if setting.size == "tiny" else 2048)),
    Part("speed-unet-bf16", 40, partial(speed, unet, "bf16-mixed", False, 0.2)),
    Part("figure-shakespeare", 170, partial(figure, "gpu-shakespeare", "performance.loss", "at most 1.48", _TINY_TEXT)),
    Part("speed-gpt-bf16-compiled", 120, partial(speed, gpt, "bf16-mixed", True, 0.04)),
    Part("speed-resnet-bf16-compiled", 120, partial(speed, resnet, "bf16-mixed", True, 0.2)),
    Part("speed-resnet-32", 60, partial(speed, resnet, "32-true", False, 0.2)),
    Part("speed-gpt-32", 70, partial(speed, gpt, "32-true", False, 0.04)),
)


def do(part: Part, setting: Setting, out: Path) -> None:
    """Measure a part, and write what came of it."""
    started = time.monotonic()
    try:
        result = dict(part.measure(setting))
    except Exception:  # whatever a part meets must not cost the others
        result = {"failed": traceback.format_exc(limit=-4)}
    result |= {"part": part.name, "seconds": time.monotonic() - started, "machine": _machine(setting)}
    with out.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(result) + "\n")
    print(json.dumps(result), flush=True)


def done(out: Path) -> set[str]:
    """Return the parts that have a result; a line that was cut off counts for nothing."""
    if not out.is_file():
        return set()
    text = out.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        out.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    results = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return {result["part"] for result in results if "failed" not in result}


def _machine(setting: Setting) -> str:
    on_gpu = setting.device.type == "cuda"
    named = torch.cuda.get_device_name(setting.device) if on_gpu else f"CPU, {setting.threads} threads"
    return f"{named}, torch {torch.__version__}"


def main() -> None:
    """Read the arguments, and do what there is time for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--only", nargs="*", default=None, metavar="PART", help="parts by the start of their names")
    parser.add_argument("--size", choices=["tiny", "small", "full"], default="full")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, default=8.0, help="no part begins that would end later")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    data, device = given.data.absolute(), torch.device(given.device)
    setting = Setting(device=device, size=given.size, data=data, repeats=given.repeats, threads=given.threads)
    known, end = done(given.out), time.monotonic() + 60 * given.minutes
    for part in PARTS:
        if given.only is not None and not part.name.startswith(tuple(given.only)):
            continue
        if part.name in known:
            print(f"{part.name}: done before", flush=True)
        elif time.monotonic() + part.seconds > end:
            print(f"{part.name}: no time is left for its {part.seconds} seconds", flush=True)
        else:
            do(part, setting, given.out)


if __name__ == "__main__":
    main()
