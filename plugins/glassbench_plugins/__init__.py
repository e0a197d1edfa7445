"""The built-in plugins: data sets, tasks, models and trainers."""
