"""The main object of this host: loads capabilities, opens leases, tells how it is.

I1 A key is loaded once; loading it again answers as before.
I2 A ticket is good for its own lease only, and worth nothing once the lease ended.
I3 After `unload` nothing of the capability answers any more, and its module is collected unless something holds it.
"""

import asyncio
import gc
import importlib.util
import os
import time
import weakref

from loaded_capability import LoadedCapability
from session import MAX_LINE_BYTES, Session
from spans import Spans
from wire import HostError, RpcTarget
from worker_threads import OrderedStart, WorkerThreads

CONTRACT_VERSION = 1
MAX_THREADS = 256


class Settings:
    """What a capability is told when it is made."""

    def __init__(self, order):
        self.name = order["name"]
        self.version = order["version"]
        self.shard = order["shard"]
        self.config = order["config"]
        self.state_path = order["statePath"]


class Loaded:
    def __init__(self, capability, seen, report):
        self.capability = capability
        self.report = report
        self.seen = seen
        """Weak references: whatever of the module is still held keeps one of them alive."""


class Gate(RpcTarget):
    """The main object of the direct route."""

    rpc = ("redeem",)

    def __init__(self, tickets):
        self._tickets = tickets

    def redeem(self, ticket):
        target = self._tickets.get(ticket) if isinstance(ticket, str) and ticket != "" else None
        if target is None:
            raise HostError("RELEASED", "The ticket belongs to no lease, or to one that is over. Acquire it again.")
        return target


class Host(RpcTarget):
    rpc = ("describe", "ping", "load", "open", "end", "unload", "listen", "stats")

    def __init__(self):
        self._loaded = {}
        self._leases = {}
        self._tickets = {}
        self._servers = []
        self._threads = OrderedStart(WorkerThreads(MAX_THREADS))
        self._spans = Spans()

    def describe(self):
        return {"contract": CONTRACT_VERSION, "language": "python", "pid": os.getpid()}

    def ping(self):
        return True

    def load(self, order):
        key = order["key"]
        if key not in self._loaded:
            self._loaded[key] = self._load(order)
        return self._loaded[key].report

    def open(self, order, dependencies):
        loaded = self._loaded.get(order["key"])
        if loaded is None:
            message = "'%s' is not there: it is not loaded in this host. Acquire the capability again."
            raise HostError("SHARD_UNAVAILABLE", message % order["key"], True)
        target = loaded.capability.open(order, dependencies)
        self._leases[order["leaseId"]] = (loaded.capability, order["ticket"])
        if order["ticket"] != "":
            self._tickets[order["ticket"]] = target
        return target

    def end(self, lease_id):
        capability, ticket = self._leases.pop(lease_id, (None, ""))
        self._tickets.pop(ticket, None)
        if capability is not None:
            capability.end(lease_id)

    async def unload(self, key):
        loaded = self._loaded.pop(key, None)
        if loaded is None:
            return {"outcome": "unloaded", "detail": "it was not loaded"}
        for lease_id in [key for key, (held, _ticket) in self._leases.items() if held is loaded.capability]:
            self.end(lease_id)
        loaded.capability.close()
        seen = loaded.seen
        del loaded
        return await _reclaim(seen)

    async def listen(self, path):
        gate = Gate(self._tickets)
        server = await asyncio.start_unix_server(
            lambda reader, writer: Session(reader, writer, gate).run(), path, limit=MAX_LINE_BYTES
        )
        self._servers.append(server)

    def stats(self):
        total = {"inFlight": 0, "calls": 0, "failures": 0, "timeouts": 0}
        for loaded in self._loaded.values():
            for name in total:
                total[name] += loaded.capability.counts[name]
        return {**total, "leases": len(self._leases), "memoryBytes": _memory_bytes(), "spans": self._spans.take()}

    def _load(self, order):
        start = time.monotonic()
        try:
            module = _import(order["entry"])
            instance = module.create(Settings(order))
        except BaseException as error:
            message = "'%s' %s could not be loaded: %s. Mend it, and register it again."
            reason = str(error) or type(error).__name__
            raise HostError("CAPABILITY_LOAD_FAILED", message % (order["name"], order["version"], reason)) from None
        capability = LoadedCapability(order, instance, self._threads, self._spans)
        report = {"loadMs": (time.monotonic() - start) * 1000, "methods": capability.methods}
        # Every function of a module holds the names of that module, `create` among them.
        return Loaded(capability, [weakref.ref(module.create), *_weak(instance)], report)


def _import(path):
    """The module of a file, outside the interpreter's table of modules, so that it can be collected again."""
    if not os.path.isfile(path):
        raise FileNotFoundError("there is no file '%s'" % path)
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("'%s' is no Python file" % path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "create", None)):
        raise AttributeError("it has no function 'create'")
    return module


def _weak(instance):
    """A weak reference, where the class of the instance takes one."""
    try:
        return [weakref.ref(instance)]
    except TypeError:
        return []


async def _reclaim(seen):
    for attempt in range(1, 9):
        gc.collect()
        if all(reference() is None for reference in seen):
            return {"outcome": "unloaded", "detail": "its module was collected in %d rounds" % attempt}
        await asyncio.sleep(0.002)
    return {"outcome": "leaked", "detail": "something outside still refers to its module: a thread, a timer or a global"}


def _memory_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
