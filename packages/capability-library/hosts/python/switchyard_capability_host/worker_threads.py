"""Threads for methods that are no coroutines, so that a slow one keeps nobody else waiting.

A thread cannot be stopped from outside in Python: one whose call timed out goes on until its method returns. `limit`
bounds how many there are; the host's process ends all of them.

Calls begin in the order in which they came: each has a head start of `HEAD_START_S` before the next one runs beside it, so
quick ones run one after the other, as they would on a single thread.
"""

import asyncio
import collections
import queue
import threading


HEAD_START_S = 0.002


class WorkerThreads:
    def __init__(self, limit):
        self._limit = limit
        self._work = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._count = 0

    def submit(self, work):
        """Runs `work` on a thread; returns False when every thread is busy and there may be no more."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            elif self._count < self._limit:
                self._count += 1
                threading.Thread(target=self._run, daemon=True).start()
            else:
                return False
        self._work.put(work)
        return True

    def _run(self):
        while True:
            work = self._work.get()
            work()
            # What the method worked on must not live on because this thread waits.
            del work
            with self._lock:
                self._idle += 1


class OrderedStart:
    """Used on the thread of the loop only."""

    def __init__(self, threads):
        self._threads = threads
        self._waiting = collections.deque()
        self._starting = None

    def submit(self, work, outcome, refuse):
        """Runs `work` on a thread when its turn comes; `outcome` settles when it has ended, `refuse` is called for want of threads."""
        self._waiting.append((work, outcome, refuse))
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self):
        while self._waiting:
            work, outcome, refuse = self._waiting.popleft()
            if outcome.done():
                continue
            if self._threads.submit(work):
                await asyncio.wait({outcome}, timeout=HEAD_START_S)
            else:
                refuse()
            del work
        self._starting = None
