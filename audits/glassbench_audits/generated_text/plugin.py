"""The audit of generated text, as a plugin."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import AuditSpec


@hookimpl
def glassbench_audits() -> Iterable[AuditSpec]:
    """Yield the audit of generated text."""
    yield AuditSpec(
        name="generated-text",
        summary="Which words of a prompt made a language model write what it wrote, by Captum's attribution for language models",
        target="glassbench_audits.generated_text.audit:audit",
        needs=("model", "predictions"),
        kinds=("tokens",),
        modalities=("text",),
        measures=("deletion", "deletion_random", "deletion_difference"),
        higher_is_better=("deletion_difference",),
        references=("deletion_random",),
        answers="reasons",
    )
