"""The errors that a preparation step shows to its user."""


class PrepError(Exception):
    """A data set cannot be prepared; the message names the file and the mend."""


class Unfinished(PrepError):
    """Nothing is wrong with the data, but the work ended early; what is done is kept."""
