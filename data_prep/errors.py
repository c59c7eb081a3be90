"""The one error that a preparation step shows to its user."""


class PrepError(Exception):
    """A data set cannot be prepared; the message names the file and the mend."""
