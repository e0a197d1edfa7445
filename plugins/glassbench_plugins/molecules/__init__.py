"""Molecules: values from SMILES, by a transformer over the text or a network over the graph."""
