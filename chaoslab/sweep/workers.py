"""Who runs the cells: processes of our own, this one, or an executor. Each way yields keys with their outcomes as they finish."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from .cells import Outcome, run, versions

#: Bytes of a function with what is bound to it. A pipe takes so much even where the process at its other end has died.
HEAVIEST = 30_000
#: Processes at most, unless asked for: each takes eight open files, of which systems often allow a thousand.
MOST = 100
#: What keeps a linear algebra library from starting a thread for every core in every process.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")
#: The function that this process works on, where it is one of a sweep's.
_task: Callable | None = None


def cores() -> int:
    """The cores that this process may use: one in a process of a sweep, since the others have the rest."""
    if _task is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def way(function: Callable, name: str, workers: int | None, client, executor) -> Callable[[list[str]], Iterator]:
    """How the cells are run, as what takes their keys; raises TypeError or ValueError where that is not possible."""
    if sum(choice is not None for choice in (workers, client, executor)) > 1:
        raise ValueError("workers, client and executor are three ways to run the cells; give one")
    if client is not None:
        if not hasattr(client, "get_executor"):
            expected = "client is a dask.distributed.Client, as in Client('tcp://host:8786') (pip install distributed)"
            raise TypeError(f"{expected}; {client!r} given")
        return partial(_on_client, function, client)
    if executor is not None:
        if not isinstance(executor, Executor):
            raise TypeError(f"executor is a concurrent.futures.Executor; {executor!r} given")
        return partial(_on_executor, function, executor)
    workers = min(cores(), MOST) if workers is None else workers
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise ValueError(f"workers is a number of processes, or 0 to run the cells in this one; {workers!r} given")
    return partial(_in_processes, _pickled(function, name), name, workers) if workers else partial(_here, function)


def _here(function: Callable, keys: list[str]) -> Iterator[tuple[str, Outcome]]:
    for key in keys:
        yield key, run(function, key)


def _died(reason: str) -> Outcome:
    return Outcome("failed", None, f"the process that ran the cell died: {reason}", None, None, versions())


# --- an executor, or dask's workers through one --------------------------------------------------------------------------


def _on_executor(function: Callable, executor: Executor, keys: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Hand over all cells at once. Those that dask gives up go last and one by one, since it suspects their neighbours too."""
    futures: dict[Future, str] = {}
    suspects = []
    try:
        for key in keys:
            futures[executor.submit(run, function, key)] = key
        for future in as_completed(futures):
            key, found = futures.pop(future), _found(future, executor)
            if isinstance(found, Outcome):
                yield key, found
            else:
                suspects.append(key)
        for key in suspects:
            futures[future := executor.submit(run, function, key)] = key
            found = _found(future, executor)
            yield key, found if isinstance(found, Outcome) else _died(found)
    finally:
        for future in futures:
            future.cancel()


def _on_client(function: Callable, client, keys: list[str]) -> Iterator[tuple[str, Outcome]]:
    executor = client.get_executor(pure=False)
    try:
        yield from _on_executor(function, executor, keys)
    finally:
        if client.status == "running":
            executor.shutdown(wait=False)  # takes back what has not begun


def _found(future: Future, executor: Executor) -> Outcome | str:
    """The outcome of a cell, or how the processes have died that ran it."""
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # dask's, after it has tried several
            return str(error)
        given_up = f"{type(executor).__name__} has given up a cell ({type(error).__name__}: {error})"
        raise RuntimeError(f"{given_up}; what has finished is stored, and the same call goes on from there") from error


# --- processes of our own ------------------------------------------------------------------------------------------------


class _Worker:
    """A process with an executor to itself: when it dies, it is known of which cell, and the others go on."""

    def __init__(self, task: bytes):
        # a new interpreter: LLVM and BLAS start threads, and a process with threads is not safely forked
        self.executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        with _starting():
            self.ready = self.executor.submit(_load, task)
        [self.process] = self.executor._processes.values()

    def submit(self, key: str) -> Future:
        try:
            return self.executor.submit(_run_task, key)
        except BrokenProcessPool as error:  # it has died since its last cell
            future = Future()
            future.set_exception(error)
            return future

    def end(self) -> str:
        """Wait for its end, and say how it came."""
        self.executor.shutdown()
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"it ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"it was ended by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")


def _in_processes(task: bytes, name: str, count: int, keys: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Keep so many processes at work. A cell whose process has died goes last and runs alone: it may have lacked memory."""
    waiting, suspects, died = deque(keys), deque(), set()
    workers, idle, busy = set(), [], {}

    def start():
        worker = _Worker(task)
        workers.add(worker)
        busy[worker.ready] = worker, None

    try:
        for _ in range(min(count, len(keys))):
            start()
        while waiting or suspects or busy:
            while idle and (waiting or (suspects and not busy)):
                worker, key = idle.pop(), (waiting or suspects).popleft()
                busy[worker.submit(key)] = worker, key
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                worker, key = busy.pop(future)
                if future.exception() is None:
                    idle.append(worker)
                    if key is not None:
                        yield key, future.result()
                    continue
                workers.remove(worker)
                reason = _ended(worker, key, future.exception(), name)
                if key in died:
                    yield key, _died(f"{reason}, twice")
                else:
                    died.add(key)
                    suspects.append(key)
                if waiting or (suspects and not workers):
                    start()
    except BaseException:  # Ctrl-C above all: nothing goes on behind the caller's back
        for worker in workers:
            worker.process.kill()
        raise
    finally:
        for worker in workers:
            worker.end()


def _ended(worker: _Worker, key: str | None, error: BaseException, name: str) -> str:
    """How a process ended at a cell; raises RuntimeError if it never came to one, for then no other will."""
    reason = worker.end()
    if key is not None:
        if not isinstance(error, BrokenProcessPool):
            raise error  # a KeyboardInterrupt that the function itself has raised
        return reason
    if isinstance(error, BrokenProcessPool):
        why = f"{reason}; its own words are above. A script calls sweep under `if __name__ == '__main__':`"
    else:
        why = f"{type(error).__name__}: {error}. Other processes do not see what a notebook defines, so define it in a file"
    raise RuntimeError(f"no process could start on {name}: {why}; with workers=0 the cells run here") from error


def _pickled(function: Callable, name: str) -> bytes:
    try:
        task = pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        advice = "define it with def at the top of a module, or run it here with workers=0"
        raise TypeError(f"{name} cannot be sent to other processes: {error}; {advice}") from error
    if len(task) > HEAVIEST:
        raise ValueError(f"{name[:200]} comes to {len(task)} bytes with what is bound to it; let it load what is large")
    return task


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """A process started here has one thread for linear algebra, unless the user has set another number, and no Ctrl-C yet."""
    added = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    before = _mask("SIG_BLOCK", {signal.SIGINT})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
        _mask("SIG_SETMASK", before)


def _mask(how: str, signals: set) -> set:
    """Change the signals that this thread puts off, where the system knows such, and return those before."""
    return signal.pthread_sigmask(getattr(signal, how), signals) if hasattr(signal, "pthread_sigmask") else set()


# --- inside of them ------------------------------------------------------------------------------------------------------


def _begin() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _mask("SIG_UNBLOCK", {signal.SIGINT})
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _load(task: bytes) -> None:
    global _task
    _task = pickle.loads(task)


def _run_task(key: str) -> Outcome:
    return run(_task, key)
