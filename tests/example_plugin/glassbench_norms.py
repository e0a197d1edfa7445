"""An audit of how large a model's weights have grown."""

from collections.abc import Iterable

from glassbench import AuditResult, AuditSpec, Finding, Measure, Method, Subject, Table, hookimpl


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    target = "glassbench_norms:norms"
    yield AuditSpec(name="norms", summary="Largest weights.", target=target, needs=("model",), measures=("largest",))


def norms(subject: Subject, *, limit: float = 10.0) -> AuditResult:
    """Find the largest weight.

    Args:
        limit: What is too large.
    """
    assert subject.model is not None  # it needs one
    found = {name: float(p.detach().abs().max()) for name, p in subject.model.named_parameters()}
    largest = max(found.values())
    return AuditResult(
        method=Method(summary="The largest absolute weight of each tensor."),
        measures=(Measure(name="norms.largest", value=largest, higher_is_better=False),),
        findings=(Finding(sentence=f"The largest weight is {largest:.2f}.", grade="ok" if largest <= limit else "concern"),),
        tables=(Table(title="Largest weight per tensor", columns=("tensor", "weight"), rows=tuple(found.items())),),
    )
