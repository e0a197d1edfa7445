"""Rows unlike the others."""
