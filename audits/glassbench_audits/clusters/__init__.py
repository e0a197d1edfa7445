"""The clusters audit: what each cluster is, whether it is really there, and who is in it."""
