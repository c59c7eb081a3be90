"""Command-line steps that fetch, verify and prepare the data sets: ``python -m data_prep``."""
