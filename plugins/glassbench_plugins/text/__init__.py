"""Texts: data sets, vocabularies, recurrent networks and a transformer that decide a class."""
