"""A Sphinx extension: what it warned of comes again at the end, where a reader looks.

A warning stops the build only when all pages are written, and a hundred lines may stand below it.
"""

from sphinx.util import logging

LAST = 1000  # after whatever else the end of the build sets off

logger = logging.getLogger(__name__)


def setup(app):
    """Keep the warnings that are shown, and show them again when the build is at its end."""
    shown = []

    def keep(record):
        shown.append(record.getMessage())
        return True

    # The last filter of the handler that shows warnings sees those, and no suppressed ones.
    for handler in logger.logger.parent.handlers:
        if isinstance(handler, logging.WarningStreamHandler):
            handler.addFilter(keep)
    app.connect("build-finished", lambda app, error: repeat(shown), priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def repeat(messages):
    """Write some warnings below each other, with their number; nothing if there are none."""
    if messages:
        number = "One warning" if len(messages) == 1 else f"{len(messages)} warnings"
        lines = [f"{number}; with -W, each is an error:", *messages]
        logger.info("\n" + "\n".join(lines) + "\n", color="red")
