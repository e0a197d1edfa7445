"""The efficiency audit: what does the model cost?"""

import platform
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level, PositiveNumber
from glassbench_audits.efficiency.clock import Timing, batch_of, time_passes
from glassbench_audits.efficiency.consumption import energy_measures, inference_energy, training_energy
from glassbench_audits.efficiency.footprint import file_size, operations, parameters, peak_memory


def audit(
    subject: Subject,
    *,
    batches: tuple[Count, ...] = (1, 32, 256),
    seconds: PositiveNumber = 0.5,
    country: str | None = None,
    level: Level = 0.95,
) -> AuditResult:
    """Count what the model is made of and does, and time and meter its decisions on this machine.

    Args:
        subject: What is examined.
        batches: Batch sizes to time, rows per forward pass.
        seconds: Seconds of timing for each batch size, and of metering.
        country: Three-letter code of the country whose electricity is taken, for CO2; None states none.
        level: Confidence level of the intervals of medians.
    """
    model, source = subject.model, subject.predictions.source
    assert model is not None
    assert source is not None
    if not len(source):
        return AuditResult(method=Method(summary="Not run."), not_applicable="there are no rows to decide")
    timings = [time_passes(model, source, size, seconds) for size in sorted(set(batches))]
    training = training_energy(subject.facts)
    decided, rows = inference_energy(model, source, timings[-1], seconds, country)
    memory = [peak_memory(model, batch_of(source, timing.rows, model)) for timing in timings]
    counted = tuple(_counted(subject))
    metered = tuple(energy_measures(training, decided, rows, country))
    return AuditResult(
        findings=(_finding(counted, timings),),
        measures=(*counted, *_timed(timings, memory, level), *metered),
        tables=(_size_table((*counted, *metered)), _time_table(timings, memory, level)),
        charts=tuple(_charts(timings, level)),
        method=_method(subject, timings, training.method, decided.method),
    )


def _counted(subject: Subject) -> Iterator[Measure]:
    model, source = subject.model, subject.predictions.source
    assert model is not None
    assert source is not None
    count, nothing = parameters(model), "not counted: the model is no network"
    for place, name in enumerate(("parameters", "trainable_parameters")):
        value = None if count is None else float(count[place])
        yield _measure(name, value, None, nothing)
    yield _measure("file_size", float(file_size(model)), "bytes", "")
    done = operations(model, batch_of(source, 1, model))
    reason = nothing if count is None else "not counted: it uses no operation that PyTorch counts"
    yield _measure("operations", None if done is None else float(done), "per row", reason)


def _timed(timings: Sequence[Timing], memory: Sequence[int | None], level: float) -> Iterator[Measure]:
    """Yield medians; the plain names speak of single rows for latency, of the largest batch for throughput and memory."""
    low, high = timings[0].median_interval(level)
    first, last = timings[0], timings[-1]
    yield Measure(
        name="efficiency.latency",
        value=first.percentile(0.5),
        low=low,
        high=high,
        level=level,
        n=len(first.seconds),
        unit=f"s per {_rows(first.rows)}",
        higher_is_better=False,
    )
    low, high = last.median_interval(level)
    ends: dict[str, Any] = {"low": last.rows / high, "high": last.rows / low}
    passes = len(last.seconds)
    yield Measure(
        name="efficiency.throughput",
        value=last.throughput,
        **ends,
        level=level,
        n=passes,
        unit="rows per s",
        higher_is_better=True,
    )
    value = None if memory[-1] is None else float(memory[-1])
    yield _measure("peak_memory", value, f"bytes for {_rows(last.rows)}", "not measured: the model is no network")


def _measure(name: str, value: float | None, unit: str | None, reason: str) -> Measure:
    undefined = None if value is not None else reason
    return Measure(name=f"efficiency.{name}", value=value, unit=unit, undefined=undefined, higher_is_better=False)


def _finding(counted: Sequence[Measure], timings: Sequence[Timing]) -> Finding:
    count = counted[0].value
    size = "The model" if count is None else f"With {count:,.0f} parameters the model"
    first, last = timings[0], timings[-1]
    said = (
        f"{size} decides {_rows(first.rows)} in {1000 * first.percentile(0.5):.3g} ms at the median "
        f"({1000 * first.percentile(0.99):.3g} ms at the 99th percentile), and {last.throughput:,.0f} rows a second "
        f"{last.rows} at a time."
    )
    return Finding(sentence=said, grade="ok", measures=("efficiency.latency", "efficiency.throughput"), weight=0.1)


def _size_table(measures: Sequence[Measure]) -> Table:
    rows = tuple((m.name.removeprefix("efficiency.").replace("_", " "), m.value, m.unit, m.undefined) for m in measures)
    return Table(title="What it costs", columns=("what", "value", "unit", "not measured because"), rows=rows)


def _time_table(timings: Sequence[Timing], memory: Sequence[int | None], level: float) -> Table:
    rows = tuple(
        (
            timing.rows,
            len(timing.seconds),
            *(1000 * timing.percentile(share) for share in (0.5, 0.9, 0.99)),
            *(1000 * end for end in timing.median_interval(level)),
            timing.throughput,
            peak,
        )
        for timing, peak in zip(timings, memory, strict=True)
    )
    names = ("median ms", "90 % ms", "99 % ms", "low", "high", "rows per s", "peak bytes")
    note = f"Low and high are the ends of the {in_percent(level)} interval of the median."
    return Table(title="Forward passes by batch size", columns=("rows", "passes", *names), rows=rows, note=note)


def _charts(timings: Sequence[Timing], level: float) -> Iterator[Chart]:
    points = tuple(
        {
            "y": _rows(timing.rows),
            "x": 1e6 * timing.percentile(0.5) / timing.rows,
            "low": 1e6 * timing.median_interval(level)[0] / timing.rows,
            "high": 1e6 * timing.median_interval(level)[1] / timing.rows,
            "size": f"{len(timing.seconds)} passes",
        }
        for timing in timings
    )
    least = min(points, key=lambda point: float(str(point["x"])))
    yield Chart(
        kind="intervals",
        title="Time per row by batch size",
        message=f"A row is cheapest at {least['y']} a pass: {float(str(least['x'])):.3g} microseconds.",
        rows=points,
        x_title="microseconds per row (median)",
        y_title="batch",
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _method(subject: Subject, timings: Sequence[Timing], training: str, decided: str) -> Method:
    model = subject.model
    device = str(next((p.device for p in model.parameters()), "cpu")) if model is not None else "cpu"
    return Method(
        summary=(
            "Parameters and the file of the saved model were counted; operations are those that PyTorch's counter knows (matrix "
            "products, convolutions, attention), for one row; memory is the most bytes that tensors of one forward pass hold at "
            "a time. Forward passes of the model alone were timed after a warm-up, without reading or encoding rows. "
            f"Electricity of training: {training}. Electricity of decisions: {decided}."
        ),
        parameters={
            "batches": [timing.rows for timing in timings],
            "device": device,
            "threads": torch.get_num_threads(),
            "processor": platform.processor() or platform.machine(),
        },
        references=("Lacoste, Luccioni, Schmidt, Dandres (2019): Quantifying the carbon emissions of machine learning",),
        cautions=(
            "Times hold for this machine, with whatever else it was doing; they differ from one call to the next.",
            "The electricity of a training that was stopped and resumed is that of its last part.",
        ),
    )
