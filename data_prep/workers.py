"""Doing many small tasks on several cores, with a progress bar.

The cores share one process: Pillow, which takes nearly all the time, lets go of Python's lock.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

from tqdm import tqdm

from data_prep.console import tell

tqdm.monitor_interval = 0  # no thread of its own: it may be one too many


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def work(
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    jobs: int,
    title: str,
    sizes: Sequence[int],
) -> Iterator[Any]:
    """Yield ``function(task)`` for every task, as each is done.

    If one raises an error, those that have not begun are dropped; those that have are finished.

    Parameters
    ----------
    function : callable
        What to do; where the machine lets no thread start, it may be done twice to a task.
    tasks : sequence
        What to do it to.
    jobs : int
        How many at once; with 1, or where no thread can be started, in turn.
    title : str
        What the progress bar is called. It shows on a terminal only.
    sizes : sequence of int
        How many images each task counts for.
    """
    with (
        tqdm(total=sum(sizes), unit="image", desc=title, disable=None) as bar,
        ThreadPoolExecutor(max(1, jobs)) as pool,
    ):
        try:
            futures = _started(pool, function, tasks) if jobs > 1 else []
            lengths = dict(zip(futures, sizes, strict=bool(futures)))
            for future in as_completed(futures):
                yield future.result()
                bar.update(lengths[future])
            for task, size in [] if futures else zip(tasks, sizes, strict=True):
                yield function(task)
                bar.update(size)
        finally:
            pool.shutdown(cancel_futures=True)


def _started(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], tasks: Sequence[Any]
) -> list[Future]:
    """Start all tasks, or none where the machine has no threads for them."""
    try:
        return [pool.submit(function, task) for task in tasks]
    except RuntimeError:
        pool.shutdown(cancel_futures=True)
        tell("not enough threads can be started; one does all the work.")
        return []
