"""Conformance suites and fixtures for plugin authors: each `check_` raises AssertionError at the first promise that is broken."""

from glassbench.testing.audits import check_audit
from glassbench.testing.compressions import check_compression
from glassbench.testing.datasets import check_dataset
from glassbench.testing.fixtures import ToyTask, toy_data, toy_model, toy_subject
from glassbench.testing.launchers import check_launcher
from glassbench.testing.metrics import check_metric
from glassbench.testing.mitigations import check_mitigation
from glassbench.testing.models import check_model
from glassbench.testing.plugins import check_plugin
from glassbench.testing.prediction_kinds import check_kind
from glassbench.testing.tasks import check_task
from glassbench.testing.taught import check_taught
from glassbench.testing.trackers import check_tracker
from glassbench.testing.trainers import check_trainer

__all__ = [
    "ToyTask",
    "check_audit",
    "check_compression",
    "check_dataset",
    "check_kind",
    "check_launcher",
    "check_metric",
    "check_mitigation",
    "check_model",
    "check_plugin",
    "check_task",
    "check_taught",
    "check_tracker",
    "check_trainer",
    "toy_data",
    "toy_model",
    "toy_subject",
]
