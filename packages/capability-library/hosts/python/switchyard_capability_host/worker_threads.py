"""Threads for methods that are no coroutines, so that a slow one keeps nobody else waiting.

A thread cannot be stopped from outside in Python: one whose call timed out goes on until its method returns. `limit`
bounds how many there are; the host's process ends all of them.
"""

import queue
import threading


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
