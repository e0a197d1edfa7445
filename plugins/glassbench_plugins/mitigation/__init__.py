"""Mitigations: what changes training rows, inputs, losses or decisions so that groups are treated more alike."""
