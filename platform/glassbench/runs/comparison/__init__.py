"""Two finished runs, measure by measure: on the same rows pairwise, else by their intervals."""
