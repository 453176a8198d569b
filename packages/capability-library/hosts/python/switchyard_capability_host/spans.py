"""Spans of this host's calls, in the trace of whoever calls (W3C Trace Context). Used on the thread of the loop only.

I1 A span continues the trace of its `traceparent` under an id of its own; a broken or unsampled one is handed on as it is.
I2 No more than `MAX_KEPT` finished spans wait to be taken; the oldest goes first.
"""

import collections
import os
import re
import time

MAX_KEPT = 1000

_PATTERN = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Span:
    """A call that goes on; `traceparent` is what it hands on."""

    def __init__(self, finished, name, traceparent):
        self.traceparent = traceparent
        self._finished = finished
        self._record = None
        match = _PATTERN.fullmatch(traceparent)
        if match is None or not match[1].strip("0") or not match[2].strip("0") or not int(match[3], 16) & 1:
            return
        span_id = os.urandom(8).hex()
        self.traceparent = "00-%s-%s-%s" % (match[1], span_id, match[3])
        ids = {"traceId": match[1], "spanId": span_id, "parentSpanId": match[2]}
        self._record = {**ids, "name": name, "startMs": time.time() * 1000}
        self._began = time.monotonic()

    def end(self, error=""):
        """`error` is the code that the call failed with."""
        if self._record is not None:
            duration = (time.monotonic() - self._began) * 1000
            self._finished.append({**self._record, "durationMs": duration, "error": error})


class Spans:
    def __init__(self):
        self._finished = collections.deque(maxlen=MAX_KEPT)

    def begin(self, name, traceparent):
        return Span(self._finished, name, traceparent)

    def take(self):
        """What has finished since the last time."""
        finished = list(self._finished)
        self._finished.clear()
        return finished
