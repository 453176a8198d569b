"""One capability inside this host: guards every call of every lease, by the same rules as the Node.js host.

I1 A target answers RELEASED once its lease ended; its running calls are told to stop and fail so.
I2 No more than `maxConcurrentCalls` calls run at once; the next one fails with RESOURCE_EXHAUSTED.
I3 A call that takes longer than its limit fails with TIMEOUT, and its `cancelled` event is set.
I4 Payloads that are too large, too deep, cyclic or of a foreign class fail with INVALID_PAYLOAD.
I5 Only the names in the instance's `methods` can be called.
I6 Two calls of one account with one method and one idempotency key run it once, unless the first failed.
I7 What a method raises reaches the caller as CAPABILITY_FAILED with its message alone.
"""

import asyncio
import collections
import inspect
import json
import threading

from wire import HostError, RpcTarget, measure

MAX_PAYLOAD_DEPTH = 64
MAX_REMEMBERED_KEYS = 1000


class Dependency:
    """Another capability, for the account of the lease."""

    def __init__(self, stub, loop, traceparent=""):
        self._stub = stub
        self._loop = loop
        self._traceparent = traceparent

    def traced(self, traceparent):
        """The same for a call that has a trace."""
        return Dependency(self._stub, self._loop, traceparent)

    def invoke(self, method, parameters=()):
        """The answer; waits for it. For methods that are plain functions."""
        return asyncio.run_coroutine_threadsafe(self.ask(method, parameters), self._loop).result()

    async def ask(self, method, parameters=()):
        """The same for coroutines."""
        options = {"traceparent": self._traceparent} if self._traceparent else {}
        return await self._stub.call("invoke", [method, list(parameters), options])

    def release(self):
        self._stub.release()


class Call:
    """Who calls, and on which terms; the first parameter of every method."""

    def __init__(self, lease, traceparent):
        self.account = lease.account
        self.lease_id = lease.lease_id
        self.dependencies = {name: one.traced(traceparent) for name, one in lease.dependencies.items()}
        self.traceparent = traceparent
        self.cancelled = threading.Event()
        """Set when the call ran out of time or its lease ended."""


class Lease:
    def __init__(self, lease_id, account, dependencies):
        self.lease_id = lease_id
        self.account = account
        self.dependencies = dependencies
        self.stops = set()
        self.ended = False


class LeasedTarget(RpcTarget):
    """What callers hold: one method, so a peer can reach nothing else."""

    rpc = ("invoke",)

    def __init__(self, capability, lease):
        self._capability = capability
        self._lease = lease

    def invoke(self, method, parameters, options=None):
        return self._capability.call(self._lease, method, parameters, options if isinstance(options, dict) else {})


class LoadedCapability:
    def __init__(self, order, instance, threads, spans):
        self.order = order
        self.counts = {"calls": 0, "failures": 0, "timeouts": 0, "inFlight": 0}
        self._limits = order["limits"]
        self._instance = instance
        self._threads = threads
        self._spans = spans
        self._loop = asyncio.get_running_loop()
        self._leases = {}
        self._answers = collections.OrderedDict()

    @property
    def methods(self):
        return [name for name, method in self._instance.methods.items() if callable(method)]

    def open(self, order, stubs):
        dependencies = {name: Dependency(stub.keep(), self._loop) for name, stub in stubs.items()}
        lease = Lease(order["leaseId"], order["account"], dependencies)
        self._leases[lease.lease_id] = lease
        return LeasedTarget(self, lease)

    def end(self, lease_id):
        lease = self._leases.pop(lease_id, None)
        if lease is None:
            return
        lease.ended = True
        for stop in list(lease.stops):
            stop(self._released())
        for dependency in lease.dependencies.values():
            dependency.release()
        ended = getattr(self._instance, "lease_ended", None)
        if ended is not None:
            ended(lease_id, lease.account)

    def close(self):
        for lease_id in list(self._leases):
            self.end(lease_id)
        self._answers.clear()
        dispose = getattr(self._instance, "dispose", None)
        if dispose is not None:
            dispose()
        self._instance = None

    @property
    def leases(self):
        return len(self._leases)

    def call(self, lease, method, parameters, options):
        key = options.get("idempotencyKey")
        if key is None:
            return self._run(lease, method, parameters, options)
        memory = json.dumps([lease.account, str(method), str(key)])
        if not lease.ended and memory in self._answers:
            return asyncio.shield(self._answers[memory])
        answer = self._loop.create_task(self._run(lease, method, parameters, options))
        self._answers[memory] = answer
        answer.add_done_callback(lambda done: self._forget_failure(memory, done))
        if len(self._answers) > MAX_REMEMBERED_KEYS:
            self._answers.popitem(last=False)
        return asyncio.shield(answer)

    def _forget_failure(self, memory, answer):
        if answer.cancelled() or answer.exception() is not None:
            self._answers.pop(memory, None)

    async def _run(self, lease, method, parameters, options):
        name, limits = self.order["name"], self._limits
        if lease.ended:
            raise self._released()
        work = self._instance.methods.get(method) if isinstance(method, str) else None
        if not callable(work):
            message = "'%s' has no method '%s'. It has: %s." % (name, str(method)[:100], ", ".join(self.methods))
            raise HostError("METHOD_NOT_FOUND", message)
        if not isinstance(parameters, list):
            raise _invalid("The parameters of '%s'" % method, "they are no list")
        self._check(parameters, "The parameters of '%s'" % method)
        if self.counts["inFlight"] >= limits["maxConcurrentCalls"]:
            raise _exhausted(name, "%d calls" % limits["maxConcurrentCalls"], "its calls are all busy")
        self.counts["calls"] += 1
        traceparent = options.get("traceparent")
        name = "%s.%s" % (self.order["name"], method)
        span = self._spans.begin(name, traceparent if isinstance(traceparent, str) else "")
        call = Call(lease, span.traceparent)
        try:
            result = await self._settle(lease, method, work, call, parameters, self._timeout_of(options))
        except HostError as error:
            span.end(error.code)
            raise
        span.end()
        return result

    async def _settle(self, lease, method, work, call, parameters, timeout_ms):
        outcome = self._loop.create_future()

        def stop(error):
            # The caller hears of the reason, not of what the method makes of its event.
            if not outcome.done():
                outcome.set_exception(error)
            call.cancelled.set()

        def late():
            self.counts["timeouts"] += 1
            what = "'%s' of '%s'" % (method, self.order["name"])
            message = "%s took more than %d ms. Allow more time, or try again: what was begun goes on."
            stop(HostError("TIMEOUT", message % (what, timeout_ms), True))

        self.counts["inFlight"] += 1
        lease.stops.add(stop)
        timer = self._loop.call_later(timeout_ms / 1000, late)
        task = self._start(work, call, parameters, outcome)
        try:
            result = await outcome
            self._check(result, "The result of '%s'" % method)
            return result
        except HostError:
            self.counts["failures"] += 1
            raise
        except BaseException as error:
            self.counts["failures"] += 1
            reason = "'%s' of '%s' failed: %s" % (method, self.order["name"], error)
            raise HostError("CAPABILITY_FAILED", reason) from None
        finally:
            timer.cancel()
            if task is not None:
                task.cancel()
            lease.stops.discard(stop)
            self.counts["inFlight"] -= 1

    def _start(self, work, call, parameters, outcome):
        """Runs a coroutine on the loop, and everything else on a thread."""
        if inspect.iscoroutinefunction(work):
            task = self._loop.create_task(work(call, *parameters))
            task.add_done_callback(lambda done: None if done.cancelled() else _copy(done, outcome))
            return task

        def run():
            try:
                result, error = work(call, *parameters), None
            except BaseException as problem:
                result, error = None, problem
            self._loop.call_soon_threadsafe(_deliver, outcome, result, error)

        def refuse():
            _deliver(outcome, None, _exhausted(self.order["name"], "threads", "methods that do not return hold them"))

        self._threads.submit(run, outcome, refuse)
        return None

    def _check(self, value, what):
        reason = measure(value, self._limits["maxPayloadBytes"], MAX_PAYLOAD_DEPTH)
        if reason is not None:
            raise _invalid(what, reason)

    def _timeout_of(self, options):
        asked, most = options.get("timeoutMs"), self._limits["maxExecutionMs"]
        usable = isinstance(asked, (int, float)) and not isinstance(asked, bool) and asked > 0
        return min(asked, most) if usable else most

    def _released(self):
        message = "The lease of '%s' has ended: it was released or taken back. Acquire it again."
        return HostError("RELEASED", message % self.order["name"])


def _copy(done, outcome):
    _deliver(outcome, None if done.exception() else done.result(), done.exception())


def _deliver(outcome, result, error):
    if outcome.done():
        return
    if error is None:
        outcome.set_result(result)
    else:
        # A future takes no StopIteration.
        outcome.set_exception(error if isinstance(error, Exception) and not isinstance(error, StopIteration) else HostError("CAPABILITY_FAILED", str(error)))


def _invalid(what, reason):
    return HostError("INVALID_PAYLOAD", "%s cannot be used: %s." % (what, reason))


def _exhausted(name, limit, reason):
    message = "'%s' is at its limit of %s: %s. Try again later, or raise the limit."
    return HostError("RESOURCE_EXHAUSTED", message % (name, limit, reason), True)
