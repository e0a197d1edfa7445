"""What explanations rest on: rows, feature groups, baselines, attribution methods, cases."""
