"""Whether a model has learnt its training rows by heart."""
