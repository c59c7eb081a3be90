"""Doing many small tasks on several cores, with a progress bar."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from tqdm import tqdm

from data_prep.errors import Unfinished


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def work(
    function: Callable[[Any, Any], Any],
    context: Any,
    tasks: Sequence[Any],
    jobs: int,
    title: str,
    sizes: Sequence[int],
) -> Iterator[Any]:
    """Yield ``function(context, task)`` for every task, as each is done.

    Parameters
    ----------
    function : callable
        Of a module's top level, so that another process can import it.
    context : object
        What all tasks share; it is sent to each process once.
    tasks : sequence
        What differs.
    jobs : int
        How many processes; 1 stays in this one.
    title : str
        What the progress bar is called. It shows on a terminal only.
    sizes : sequence of int
        How many images each task counts for.

    Raises
    ------
    Unfinished
        If a process is killed, besides whatever `function` raises. Tasks that have not begun
        are dropped then; those that have are finished.
    """
    with tqdm(total=sum(sizes), unit="image", desc=title, disable=None) as bar:
        if min(jobs, len(tasks)) <= 1:
            for task, size in zip(tasks, sizes, strict=True):
                yield function(context, task)
                bar.update(size)
            return
        pool = ProcessPoolExecutor(
            min(jobs, len(tasks)),
            mp_context=multiprocessing.get_context("spawn"),  # the same on every system
            initializer=_begin,
            initargs=(context,),
        )
        try:
            pending = {
                pool.submit(_call, function, task): size
                for task, size in zip(tasks, sizes, strict=True)
            }
            for future in as_completed(pending):
                yield future.result()
                bar.update(pending[future])
        except BrokenProcessPool as error:
            raise Unfinished(
                "A working process was killed, perhaps for want of memory; run the command again "
                "with --jobs 1."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_context: Any = None  # in a working process: what all its tasks share


def _begin(context: Any) -> None:
    """Set up a working process: Ctrl-C is the parent's to handle, and nobody outlives it."""
    global _context
    _context = context
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _call(function: Callable[[Any, Any], Any], task: Any) -> Any:
    return function(_context, task)
