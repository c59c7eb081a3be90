"""Command-line steps that fetch, verify and prepare each data set.

``python -m data_prep --help`` lists them. Nothing here knows what the data are used for.
"""
