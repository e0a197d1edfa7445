"""From an experiment file to a plan: form, settings, gates, budget, names resolved, files to start from."""
