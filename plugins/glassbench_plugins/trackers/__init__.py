"""The built-in trackers: CSV files in the run's folder, and TensorBoard."""
