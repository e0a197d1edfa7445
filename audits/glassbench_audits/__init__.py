"""The built-in audits."""
