"""The built-in trackers: CSV files in the run's folder, TensorBoard, MLflow, and Weights & Biases."""
