"""One conversation with a peer: capnweb's messages over lines of JSON.

Ownership: whoever opened the connection runs `Session.run`; the session owns its two tables.

I1 What the peer pushes gets the next id; a call that fails, or brings a value that Python does not have, is an answer; a
   message that breaks the rules is the end.
I2 A call on an answer that is still to come waits for it (pipelining).
I3 Whatever the peer exported to a call is released after it, unless the call keeps it.
I4 The end of the connection fails every call that this side has made and is waiting for.
"""

import asyncio
import inspect
import json

from wire import HostError, ProtocolError, RemoteError, RpcTarget, decode, encode, encode_error, to_number

MAX_LINE_BYTES = 16 * 1024 * 1024


class Stub:
    """Something of the peer's that this side may call."""

    def __init__(self, session, import_id):
        self._session = session
        self._id = import_id
        self.kept = False

    def keep(self):
        """Keeps it beyond the call that brought it; `release` ends that."""
        self.kept = True
        return self

    def call(self, method, parameters):
        """A future of the answer. Only on the thread of the loop."""
        return self._session.call(self._id, [method], parameters)

    def release(self):
        self._session.release(self._id)


class Session:
    def __init__(self, reader, writer, main):
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._exports = {0: [main, 1]}
        self._export_ids = {}
        self._next_push = 1
        self._next_export = -1
        self._imports = {}
        self._import_counts = {}
        self._next_call = 1
        self._ended = None

    async def run(self):
        """Serves until the peer is gone or breaks the rules."""
        reason = "the connection ended"
        try:
            while True:
                line = await self._reader.readline()
                if not line.endswith(b"\n"):
                    break
                if line.strip():
                    self._take(json.loads(line, parse_int=to_number))
        except (ValueError, RecursionError, ProtocolError, TypeError, KeyError, IndexError) as error:
            reason = str(error)[:500]
            self._send(["abort", encode_error(HostError("INVALID_PAYLOAD", "The session ends: %s." % reason))])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        self._lose(reason)

    def call(self, target, path, parameters):
        answer = self._loop.create_future()
        if self._ended is not None:
            answer.set_exception(self._ended)
            return answer
        number = self._next_call
        self._next_call += 1
        self._imports[number] = answer
        encoded = [encode(item, self._export) for item in parameters]
        self._send(["push", ["pipeline", target, list(path), encoded]])
        self._send(["pull", number])
        return answer

    def release(self, import_id):
        count = self._import_counts.pop(import_id, 0)
        if count > 0:
            self._send(["release", import_id, count])

    def _take(self, message):
        kind = message[0] if isinstance(message, list) and message else None
        if kind == "push":
            number = self._next_push
            self._next_push += 1
            self._exports[number] = [self._evaluate(message[1]), 1]
        elif kind == "pull":
            self._pull(message[1])
        elif kind in ("resolve", "reject"):
            self._settle(kind, message[1], message[2])
        elif kind == "release":
            self._drop(message[1], message[2])
        elif kind == "abort":
            raise ConnectionError("the peer ended the session")
        else:
            raise ProtocolError("this host does not take the message '%s'" % str(kind)[:40])

    def _evaluate(self, expression):
        """A future of what a pushed expression comes to."""
        brought = []
        waits = []
        try:
            value = decode(expression, lambda *parts: self._refer(brought, waits, *parts))
        except HostError as error:
            return self._failed(error)
        if isinstance(value, asyncio.Future):
            return value
        done = self._loop.create_future()
        done.set_result(value)
        return done

    def _refer(self, brought, waits, kind, parts, depth):
        if kind == "export":
            stub = Stub(self, parts[1])
            self._import_counts[parts[1]] = self._import_counts.get(parts[1], 0) + 1
            brought.append(stub)
            return stub
        if kind == "promise":
            raise ProtocolError("this host takes no promises as parameters")
        entry = self._exports.get(parts[1])
        if entry is None:
            return self._failed(HostError("RELEASED", "There is nothing under number %s any more." % parts[1]))
        path = parts[2] if len(parts) > 2 else []
        if len(parts) < 4:
            answer = self._walk(entry[0], path)
            waits.append(answer)
            return answer
        inner_brought, inner_waits = [], []
        parameters = [
            decode(item, lambda *more: self._refer(inner_brought, inner_waits, *more), depth + 1) for item in parts[3]
        ]
        return self._loop.create_task(self._apply(entry[0], path, parameters, inner_waits, inner_brought))

    async def _apply(self, target, path, parameters, waits, brought):
        try:
            if isinstance(target, asyncio.Future):
                target = await asyncio.shield(target)
            for wait in waits:
                await asyncio.shield(wait)
            parameters = [_settled(item) for item in parameters]
            if not isinstance(target, RpcTarget) or len(path) != 1 or path[0] not in target.rpc:
                names = ", ".join(target.rpc) if isinstance(target, RpcTarget) else "none, for it is data"
                message = "There is no method '%s'. There are: %s." % (".".join(map(str, path))[:100], names)
                raise HostError("METHOD_NOT_FOUND", message)
            result = getattr(target, path[0])(*parameters)
            return await result if inspect.isawaitable(result) else result
        except TypeError as error:
            raise HostError("INVALID_PAYLOAD", "'%s' cannot be called so: %s." % (path[-1:], error)) from None
        finally:
            for stub in brought:
                if not stub.kept:
                    stub.release()

    def _walk(self, target, path):
        async def walk():
            value = await asyncio.shield(target) if isinstance(target, asyncio.Future) else target
            for part in path:
                if isinstance(value, dict) and part in value:
                    value = value[part]
                elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
                    value = value[part]
                else:
                    raise HostError("INVALID_PAYLOAD", "There is nothing at '%s'." % str(part)[:100])
            return value

        return self._loop.create_task(walk())

    def _failed(self, error):
        failed = self._loop.create_future()
        failed.set_exception(error)
        failed.exception()
        return failed

    def _pull(self, number):
        entry = self._exports[number]

        def answer(future):
            error = asyncio.CancelledError() if future.cancelled() else future.exception()
            if error is None:
                try:
                    self._send(["resolve", number, encode(future.result(), self._export)])
                    return
                except (TypeError, ValueError, RecursionError) as problem:
                    error = HostError("INVALID_PAYLOAD", "The result cannot be used: %s." % problem)
            self._send(["reject", number, encode_error(error)])

        entry[0].add_done_callback(answer)

    def _settle(self, kind, number, content):
        answer = self._imports.pop(number, None)
        brought = []
        value = decode(content, lambda *parts: self._refer(brought, [], *parts))
        self._send(["release", number, 1])
        for stub in brought:
            stub.release()
        if answer is None or answer.done():
            return
        if kind == "resolve":
            answer.set_result(value)
        else:
            answer.set_exception(value if isinstance(value, Exception) else RemoteError("CAPABILITY_FAILED", str(value)))

    def _export(self, target):
        number = self._export_ids.get(id(target))
        if number is None:
            number = self._next_export
            self._next_export -= 1
            self._export_ids[id(target)] = number
            self._exports[number] = [target, 0]
        self._exports[number][1] += 1
        return number

    def _drop(self, number, count):
        entry = self._exports[number]
        if not isinstance(count, int) or not 0 < count <= entry[1] or number == 0:
            raise ProtocolError("more is released than was given")
        entry[1] -= count
        if entry[1] > 0:
            return
        del self._exports[number]
        self._export_ids.pop(id(entry[0]), None)
        if isinstance(entry[0], asyncio.Future) and entry[0].done() and not entry[0].cancelled():
            entry[0].exception()

    def _send(self, message):
        if self._ended is None and not self._writer.is_closing():
            self._writer.write(json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n")

    def _lose(self, reason):
        self._ended = RemoteError("SHARD_UNAVAILABLE", "The peer is gone: %s." % reason, True)
        for answer in self._imports.values():
            if not answer.done():
                answer.set_exception(self._ended)
        self._imports.clear()
        self._writer.close()


def _settled(value):
    """Puts the results where parameters pointed to answers that were still to come."""
    if isinstance(value, asyncio.Future):
        return value.result()
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items()}
    return value
