"""The self-tests of an explanation, all of them."""

from glassbench_audits.attribution.agreement import by_other_methods
from glassbench_audits.explain.checks.consistency import methods_check, seeds_check
from glassbench_audits.explain.checks.examined import Examined
from glassbench_audits.explain.checks.faithfulness import completeness_check, infidelity_check, removal_checks
from glassbench_audits.explain.checks.randomization_check import randomization_check
from glassbench_audits.explain.checks.real_rows_check import real_rows_checks
from glassbench_audits.explain.checks.reliability import Check
from glassbench_audits.explain.checks.robustness_checks import stability_checks
from glassbench_audits.explain.checks.signal_check import signal_check


def run_checks(examined: Examined) -> tuple[Check, ...]:
    """Return every self-test, in the order of `docs/explanation/reading-a-report.md`."""
    few = examined.few()
    others = {} if few.unranked() else by_other_methods(few.explainer, few.rows)
    return (
        completeness_check(examined),
        infidelity_check(few),
        *removal_checks(few, others),
        *stability_checks(few),
        seeds_check(few),
        methods_check(few, others),
        randomization_check(few),
        *real_rows_checks(examined),
        signal_check(examined),
    )
