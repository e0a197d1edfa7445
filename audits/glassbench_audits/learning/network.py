"""What a backward pass says of the network, in measures, sentences, a table and charts."""

from collections.abc import Iterator

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench_audits.learning.backward import Backward, Layer

VANISHED = 1e-4
"""A first layer with so small a share of the last layer's gradient hardly learns; the inverse explodes."""

FORGOTTEN = 1e-3
"""A first time step with so small a share of the last one's gradient is forgotten; the inverse explodes."""

STEPS = 8
"""Time steps below which nothing is said of vanishing."""
_EVEN_DEPTH = "Use fewer layers, normalisation between them, or connections that skip some."
_EVEN_TIME = "Use shorter rows, gated units or attention."
_REVIVE = "Lower the learning rate, or make the layer narrower."


def layer_ratio(seen: Backward) -> float | None:
    """Return the gradient that reaches the first layer of weights over that of the last; None where there are not two."""
    layers = [layer.signal for layer in seen.layers if layer.weights]
    return layers[0] / layers[-1] if len(layers) > 1 and layers[-1] > 0 else None


def time_ratio(steps: np.ndarray) -> float | None:
    """Return the median gradient of the first quarter of a row's time steps over that of its last quarter, the median over rows.

    Args:
        steps: Norms of gradients `(rows, steps)`, NaN where a row has no step; rows of fewer than `STEPS` steps say nothing.
    """
    ratios = []
    for row in steps:
        real = row[np.isfinite(row)]
        quarter = len(real) // 4
        if len(real) >= STEPS and (last := float(np.median(real[-quarter:]))):
            ratios.append(float(np.median(real[:quarter])) / last)
    return float(np.median(ratios)) if ratios else None


def course_over_time(steps: np.ndarray) -> np.ndarray:
    """Return the mean gradient over a row's time steps from its first to its last, on as many points as the longest row has.

    Args:
        steps: Norms of gradients `(rows, steps)`, NaN where a row has no step.
    """
    rows = [row[np.isfinite(row)] for row in steps]
    longest = max(map(len, rows), default=0)
    places = np.linspace(0, 1, longest)
    return np.asarray(np.mean([np.interp(places, np.linspace(0, 1, len(row)), row) for row in rows if len(row) >= STEPS], axis=0))


def network_measures(seen: Backward) -> Iterator[Measure]:
    """Yield the ratios of gradients over depth and time, and the share of units that never fire."""
    ratio = layer_ratio(seen)
    yield _measure("gradient_ratio", ratio, "there are not two layers of weights with gradients", seen.rows)
    ratios = [found for steps in seen.steps.values() if (found := time_ratio(steps)) is not None]
    extreme = max(ratios, key=lambda r: abs(np.log10(max(r, 1e-300))), default=None)
    yield _measure("time_ratio", extreme, f"no recurrent layer read {STEPS} steps or more", seen.rows)
    units = sum(len(fired) for fired in seen.fired.values())
    dead = sum(int((~fired).sum()) for fired in seen.fired.values())
    yield _measure("dead_units", dead / units if units else None, "there are no rectifiers that are modules", seen.rows)


def network_findings(seen: Backward, dead: float) -> Iterator[Finding]:
    """Yield vanishing and exploding gradients, over depth and time, and rectifiers most of which never fire.

    Args:
        seen: The backward pass.
        dead: Share of a layer's units that may never fire.
    """
    ratio = layer_ratio(seen)
    if ratio is not None and not VANISHED <= ratio <= 1 / VANISHED:
        first, last = (layer.name for layer in (_weighted(seen)[0], _weighted(seen)[-1]))
        word = "vanish" if ratio < VANISHED else "explode"
        said = f"Gradients {word} going back: at the first layer ({first}) {ratio:.1e} times those at the last ({last})."
        yield Finding(sentence=said, grade="concern", measures=("learning.gradient_ratio",), weight=0.6, next_step=_EVEN_DEPTH)
    for name, steps in seen.steps.items():
        over = time_ratio(steps)
        if over is not None and not FORGOTTEN <= over <= 1 / FORGOTTEN:
            word = "vanish" if over < FORGOTTEN else "explode"
            said = (
                f"Gradients {word} over time in {name}: in the first quarter of a row's steps {over:.1e} times those in the last."
            )
            yield Finding(sentence=said, grade="concern", measures=("learning.time_ratio",), weight=0.55, next_step=_EVEN_TIME)
    for name, fired in seen.fired.items():
        silent = int((~fired).sum())
        if silent > dead * len(fired):
            said = f"{silent} of the {len(fired)} units of {name} fire for none of {seen.rows} training rows: dead weight."
            yield Finding(sentence=said, grade="concern", measures=("learning.dead_units",), weight=0.4, next_step=_REVIVE)


def network_tables(seen: Backward) -> Iterator[Table]:
    """Yield the gradient of each layer, and the units of each rectifier."""
    rows = tuple(
        (
            layer.name,
            layer.kind,
            layer.signal,
            layer.gradient,
            layer.weight,
            layer.gradient / layer.weight if layer.weight else None,
        )
        for layer in seen.layers
    )
    yield Table(
        title="Gradients per layer after training",
        columns=(
            "layer",
            "kind",
            "gradient of its output (norm)",
            "gradient (root mean square)",
            "weights (root mean square)",
            "gradient over weights",
        ),
        rows=rows,
        note=f"From one backward pass on {seen.rows} training rows, the loss {seen.loss:.4g}.",
    )
    if seen.fired:
        units = tuple((name, len(fired), int((~fired).sum())) for name, fired in seen.fired.items())
        yield Table(title="Units that never fire", columns=("rectifier", "units", "never above 0"), rows=units)


def network_charts(seen: Backward) -> Iterator[Chart]:
    """Yield the gradients over depth, and over time for recurrent layers, as powers of ten."""
    ratio = layer_ratio(seen)
    if ratio is not None:
        rows = tuple({"y": layer.name, "x": float(np.log10(max(layer.signal, 1e-30)))} for layer in seen.layers)
        said = f"The first layer of weights has {ratio:.2g} times the gradient of the last."
        yield Chart(
            kind="bars",
            title="Gradient that reaches each layer",
            message=said,
            rows=rows,
            x_title="power of ten",
            section="Gradients",
        )
    for name, steps in seen.steps.items():
        over = time_ratio(steps)
        if over is not None:
            course = course_over_time(steps)
            points = tuple(
                {"x": i / max(len(course) - 1, 1), "y": float(np.log10(max(v, 1e-30))), "color": name}
                for i, v in enumerate(course)
            )
            yield Chart(
                kind="lines",
                title=f"Gradient at each time step that {name} reads",
                message=f"The first quarter of a row's steps has {over:.2g} times the gradient of the last quarter.",
                rows=points,
                x_title="place in the row, from its first step (0) to its last (1)",
                y_title="power of ten",
                section="Gradients",
            )


def _weighted(seen: Backward) -> list[Layer]:
    return [layer for layer in seen.layers if layer.weights]


def _measure(name: str, value: float | None, undefined: str, n: int) -> Measure:
    reason = None if value is not None else undefined
    direction = False if name == "dead_units" else None
    return Measure(name=f"learning.{name}", value=value, undefined=reason, n=n, higher_is_better=direction)
