"""What the contract suite calls; the twin of the Node.js probe."""

import os
import threading


class Probe:
    def __init__(self, settings):
        self._settings = settings
        self._calls = 0
        self._leases = []
        self._held = []
        names = "echo add fail wait ignore spin ask big cycle account trace count ended settings print hold exit"
        self.methods = {name: getattr(self, "_" + name) for name in names.split() if name != "settings"}
        self.methods["settings"] = self._tell_settings

    def lease_ended(self, lease_id, _account):
        self._leases.append(lease_id)

    def _echo(self, _call, value):
        return value

    async def _add(self, _call, left, right):
        return left + right

    def _fail(self, _call, message):
        raise RuntimeError(message)

    def _wait(self, call):
        call.cancelled.wait()
        raise RuntimeError("stopped")

    def _ignore(self, _call):
        threading.Event().wait()

    def _spin(self, _call):
        while True:
            pass

    def _ask(self, call, name, method, parameters):
        return call.dependencies[name].invoke(method, parameters)

    def _big(self, _call, length):
        return "x" * length

    def _cycle(self, _call):
        cycle = {}
        cycle["self"] = cycle
        return cycle

    def _account(self, call):
        return call.account

    def _trace(self, call):
        return call.traceparent

    def _count(self, _call):
        self._calls += 1
        return self._calls

    def _ended(self, _call):
        return self._leases

    def _tell_settings(self, _call):
        settings = self._settings
        return {
            "name": settings.name,
            "version": settings.version,
            "shard": settings.shard,
            "config": settings.config,
        }

    def _print(self, _call, text):
        print(text)
        os.write(1, text.encode() + b"\n")

    def _hold(self, _call, size):
        self._held.append(bytes(size))

    def _exit(self, _call):
        os._exit(3)


def create(settings):
    return Probe(settings)
