"""Doing many small tasks on several cores, with a progress bar."""

import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from tqdm import tqdm

from data_prep.errors import Unfinished

tqdm.monitor_interval = 0  # no thread of its own: it may be one too many
READY = None, None  # a first outcome: no error, and no result yet


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

    Where the machine lets no other process work, this one does everything, and says so.

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
        If a process is killed or lacks memory, besides whatever `function` raises. Tasks that
        have not begun are dropped then; those that have are finished.
    """
    todo = deque(zip(tasks, sizes, strict=True))
    jobs = min(jobs, len(todo))
    with tqdm(total=sum(sizes), unit="image", desc=title, disable=None) as bar:
        if jobs > 1:
            with _processes(jobs, (function, context)) as connections:
                for result, size in _shared_out(todo, connections):
                    yield result
                    bar.update(size)
            if todo:
                print("data_prep: no other process can be started; this one works alone.",
                      file=sys.stderr)  # fmt: skip
        for task, size in todo:
            yield function(context, task)
            bar.update(size)


@contextmanager
def _processes(count: int, shared: tuple) -> Iterator[list[Connection]]:
    """Start processes, or as many as the machine allows; none of them outlives this one."""
    method = multiprocessing.get_context("spawn")  # the same on every system
    processes = {}
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # they inherit that: Ctrl-C is for us
    try:
        for _ in range(count):
            ours, theirs = method.Pipe()  # a queue would need semaphores, and /dev/shm for them
            process = method.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()  # so that its end, and ours, shows at the other side
            processes[ours] = process
    except (OSError, RuntimeError, MemoryError):
        pass  # too many processes, threads or files: those that have started will do
    finally:
        signal.signal(signal.SIGINT, handler)
    try:
        for connection in processes:
            with suppress(OSError):  # it has ended
                connection.send(shared)
        yield list(processes)
    finally:
        for connection in processes:
            connection.close()
        for process in processes.values():
            process.join()


def _shared_out(todo: deque, connections: list[Connection]) -> Iterator[tuple[Any, int]]:
    """Hand out tasks as long as some process works; yield each result and its task's size."""
    busy = {}
    while busy or (todo and connections):
        for connection in wait(connections):
            try:
                error, result = connection.recv()
            except (EOFError, OSError) as ended:
                error = MemoryError(ended)
            if connection in busy:
                size = busy.pop(connection)
                if isinstance(error, MemoryError):
                    raise Unfinished(
                        "A working process was killed, perhaps for want of memory; run the "
                        "command again with --jobs 1."
                    ) from error
                if error is not None:
                    raise error
                yield result, size
            if todo and error is None:
                task, busy[connection] = todo.popleft()
                with suppress(OSError):  # it has ended, as the next turn sees
                    connection.send(task)
            else:
                connections.remove(connection)


def _serve(connection: Connection) -> None:
    """Do what is asked for, in a working process, until there is nobody to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(Exception):  # the other side is gone, or there is no memory to begin with
        function, context = connection.recv()  # imports what they need
        connection.send(READY)
        while True:
            connection.send(_outcome(function, context, connection.recv()))


def _outcome(function: Callable[[Any, Any], Any], context: Any, task: Any) -> tuple:
    """Return no error and the result, or the error and nothing."""
    try:
        return None, function(context, task)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return error, None
