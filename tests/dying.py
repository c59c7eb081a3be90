"""A task for a working process that ends it, in a module that is quick to import there."""

import os


def end_at_once(context, task):
    os._exit(1)
