"""Policies learnt by interaction with Gymnasium environments."""
