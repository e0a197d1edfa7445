"""Studies: one experiment run many times, with other seeds and settings, and one answer."""

from glassbench.studies.study import Study, load_study, run_study
from glassbench.studies.study_plan import plan_study

__all__ = ["Study", "load_study", "plan_study", "run_study"]
