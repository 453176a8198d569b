// One conversation with a peer: capnweb's messages over lines of JSON.
//
// I1 What the peer pushes gets the next id; a call that fails, or brings a value that C# does not have, is an answer; a
//    message that breaks the rules is the end.
// I2 A call on an answer that is still to come waits for it (pipelining).
// I3 Whatever the peer exported to a call is released after it, unless the call keeps it.
// I4 The end of the connection fails every call that this side has made and is waiting for.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    /// <summary>Something of the peer's that this side may call.</summary>
    public sealed class Stub
    {
        readonly Session session;
        readonly int id;

        public Stub(Session session, int id)
        {
            this.session = session;
            this.id = id;
        }

        public bool Kept { get; private set; }

        /// <summary>Keeps it beyond the call that brought it; Release ends that.</summary>
        public Stub Keep()
        {
            Kept = true;
            return this;
        }

        public Answer Call(string method, params object[] parameters) { return session.Call(id, method, parameters); }
        public void Release() { session.Release(id); }
    }

    public sealed class Session
    {
        public const int MaxLineBytes = 16 * 1024 * 1024;
        const int NewLine = '\n';

        sealed class Export
        {
            public object Target;
            public int Count;
        }

        readonly Stream input;
        readonly Stream output;
        readonly WorkerThreads threads;
        readonly Dictionary<int, Export> exports = new Dictionary<int, Export>();
        readonly Dictionary<RpcTarget, int> exportIds = new Dictionary<RpcTarget, int>();
        readonly Dictionary<int, Answer> imports = new Dictionary<int, Answer>();
        readonly Dictionary<int, int> importCounts = new Dictionary<int, int>();
        readonly object writing = new object();
        int nextPush = 1;
        int nextExport = -1;
        int nextCall = 1;
        Exception ended;

        public Session(Stream input, Stream output, RpcTarget main, WorkerThreads threads)
        {
            this.input = input;
            this.output = output;
            this.threads = threads;
            exports[0] = new Export { Target = main, Count = 1 };
        }

        /// <summary>Serves until the peer is gone or breaks the rules.</summary>
        public void Run()
        {
            var reason = "the connection ended";
            try
            {
                foreach (var line in Lines()) if (line.Trim() != "") Take(Json.Parse(line) as List<object>);
            }
            catch (IOException error) { reason = error.Message; }
            catch (ObjectDisposedException) { }
            catch (Exception error)
            {
                reason = error.Message;
                Send("abort", Wire.EncodeError(new CapabilityException("INVALID_PAYLOAD", "The session ends: " + reason + ".")));
            }
            Lose(reason);
        }

        public Answer Call(int target, string method, object[] parameters)
        {
            var answer = new Answer();
            lock (exports)
            {
                if (ended != null)
                {
                    answer.Reject(ended);
                    return answer;
                }
                var number = nextCall++;
                imports[number] = answer;
                var encoded = parameters.Select(item => Wire.Encode(item, ExportOf)).ToList();
                Send("push", new List<object> { "pipeline", target, new List<object> { method }, encoded });
                Send("pull", number);
            }
            return answer;
        }

        public void Release(int id)
        {
            lock (exports)
            {
                int count;
                if (!importCounts.TryGetValue(id, out count)) return;
                importCounts.Remove(id);
                Send("release", id, count);
            }
        }

        IEnumerable<string> Lines()
        {
            var chunk = new byte[64 * 1024];
            var held = new MemoryStream();
            while (true)
            {
                var size = input.Read(chunk, 0, chunk.Length);
                if (size <= 0) yield break;
                var start = 0;
                for (var end = Array.IndexOf(chunk, (byte)NewLine, 0, size); end >= 0; end = Array.IndexOf(chunk, (byte)NewLine, start, size - start))
                {
                    held.Write(chunk, start, end - start);
                    yield return Encoding.UTF8.GetString(held.GetBuffer(), 0, (int)held.Length);
                    held.SetLength(0);
                    start = end + 1;
                }
                held.Write(chunk, start, size - start);
                if (held.Length > MaxLineBytes) throw new ProtocolException("a message is longer than " + MaxLineBytes + " bytes");
                if (held.Length == 0 && held.Capacity > chunk.Length) held = new MemoryStream();
            }
        }

        void Take(List<object> message)
        {
            var kind = message != null && message.Count > 0 ? message[0] as string : null;
            lock (exports)
            {
                switch (kind)
                {
                    case "push":
                        var number = nextPush++;
                        exports[number] = new Export { Target = Evaluate(Part(message, 1)), Count = 1 };
                        return;
                    case "pull": Pull(Number(message, 1)); return;
                    case "resolve":
                    case "reject": Settle(kind, Number(message, 1), Part(message, 2)); return;
                    case "release": Drop(Number(message, 1), Number(message, 2)); return;
                    case "abort": throw new IOException("the peer ended the session");
                }
            }
            throw new ProtocolException("this host does not take the message '" + (kind ?? "without a kind") + "'");
        }

        static object Part(List<object> parts, int index)
        {
            if (index < parts.Count) return parts[index];
            throw new ProtocolException("a message is too short");
        }

        static int Number(List<object> parts, int index)
        {
            var value = Part(parts, index);
            if (value is long && (long)value >= int.MinValue && (long)value <= int.MaxValue) return (int)(long)value;
            throw new ProtocolException("a message has no number where one belongs");
        }

        object Evaluate(object expression)
        {
            try { return Wire.Decode(expression, (kind, parts) => Refer(kind, parts, new List<Stub>(), new List<object>())); }
            catch (CapabilityException error)
            {
                var refused = new Answer();
                refused.Reject(error);
                return refused;
            }
        }

        /// <summary>What a reference stands for: a stub of the peer's, or an answer.</summary>
        object Refer(string kind, List<object> parts, List<Stub> brought, List<object> waits)
        {
            var id = Number(parts, 1);
            if (kind == "export")
            {
                int count;
                importCounts.TryGetValue(id, out count);
                importCounts[id] = count + 1;
                var stub = new Stub(this, id);
                brought.Add(stub);
                return stub;
            }
            Export entry;
            if (!exports.TryGetValue(id, out entry)) throw new ProtocolException("there is nothing under number " + id);
            var path = parts.Count > 2 ? Part(parts, 2) as List<object> : new List<object>();
            if (path == null) throw new ProtocolException("a path is no list");
            if (parts.Count < 4)
            {
                var walked = Walk(entry.Target, path);
                waits.Add(walked);
                return walked;
            }
            var given = parts[3] as List<object>;
            if (given == null) throw new ProtocolException("parameters are no list");
            var inner = new List<Stub>();
            var innerWaits = new List<object> { entry.Target };
            var parameters = given.Select(item => Wire.Decode(item, (more, pieces) => Refer(more, pieces, inner, innerWaits))).ToArray();
            return Apply(path, parameters, innerWaits, inner);
        }

        Answer Walk(object target, List<object> path)
        {
            var answer = new Answer();
            After(new[] { target }, answer, values =>
            {
                var value = values[0];
                foreach (var part in path)
                {
                    var record = value as Dictionary<string, object>;
                    var list = value as List<object>;
                    if (record != null && part is string && record.ContainsKey((string)part)) value = record[(string)part];
                    else if (list != null && part is long && (long)part >= 0 && (long)part < list.Count) value = list[(int)(long)part];
                    else throw new CapabilityException("INVALID_PAYLOAD", "There is nothing at '" + part + "'.");
                }
                answer.Resolve(value);
            });
            return answer;
        }

        /// <summary>Calls the first of `waits`, once that and all that the parameters refer to are there.</summary>
        Answer Apply(List<object> path, object[] parameters, List<object> waits, List<Stub> brought)
        {
            var answer = new Answer();
            answer.Then(() => { foreach (var stub in brought) if (!stub.Kept) stub.Release(); });
            After(waits.ToArray(), answer, values =>
            {
                var callee = values[0] as RpcTarget;
                var method = path.Count == 1 ? path[0] as string : null;
                if (callee == null || method == null || !callee.Has(method))
                    throw new CapabilityException("METHOD_NOT_FOUND", "There is no method '" + string.Join(".", path) + "' there.");
                var given = parameters.Select(Settled).ToArray();
                Action work = () => Finish(answer, () => callee.Call(method, given));
                if (!callee.IsSlow(method)) work();
                else if (!threads.Submit(work))
                    throw new CapabilityException("RESOURCE_EXHAUSTED", "All threads of the host are held by calls that do not return.", true);
            });
            return answer;
        }

        /// <summary>Puts the results where parameters pointed to answers that were still to come.</summary>
        static object Settled(object value)
        {
            if (value is Answer) return ((Answer)value).Value;
            var list = value as List<object>;
            if (list != null) return list.Select(Settled).ToList();
            var record = value as Dictionary<string, object>;
            return record == null ? value : record.ToDictionary(pair => pair.Key, pair => Settled(pair.Value));
        }

        /// <summary>Does something once all values are there.</summary>
        static void After(object[] values, Answer answer, Action<object[]> next)
        {
            var index = Array.FindIndex(values, value => value is Answer);
            if (index < 0)
            {
                try { next(values); }
                catch (Exception error) { answer.Reject(error); }
                return;
            }
            var awaited = (Answer)values[index];
            awaited.Then(() =>
            {
                if (awaited.Error != null)
                {
                    answer.Reject(awaited.Error);
                    return;
                }
                values[index] = awaited.Value;
                After(values, answer, next);
            });
        }

        static void Finish(Answer answer, Func<object> work)
        {
            try
            {
                var result = work();
                var pending = result as Answer;
                if (pending == null) answer.Resolve(result);
                else pending.Then(() => answer.Settle(pending.Value, pending.Error));
            }
            catch (Exception error) { answer.Reject(error); }
        }

        void Pull(int number)
        {
            Export entry;
            if (!exports.TryGetValue(number, out entry)) throw new ProtocolException("there is nothing under number " + number);
            var answer = entry.Target as Answer;
            if (answer == null)
            {
                answer = new Answer();
                answer.Resolve(entry.Target);
            }
            answer.Then(() =>
            {
                lock (exports)
                {
                    if (answer.Error != null) Send("reject", number, Wire.EncodeError(answer.Error));
                    else Send("resolve", number, Wire.Encode(answer.Value, ExportOf));
                }
            });
        }

        void Settle(string kind, int number, object content)
        {
            var brought = new List<Stub>();
            var value = Wire.Decode(content, (more, parts) => Refer(more, parts, brought, new List<object>()));
            Send("release", number, 1);
            foreach (var stub in brought) stub.Release();
            Answer answer;
            if (!imports.TryGetValue(number, out answer)) return;
            imports.Remove(number);
            if (kind == "resolve") answer.Resolve(value);
            else answer.Reject(value as Exception ?? new CapabilityException("CAPABILITY_FAILED", Convert.ToString(value)));
        }

        int ExportOf(RpcTarget target)
        {
            int number;
            if (!exportIds.TryGetValue(target, out number))
            {
                number = nextExport--;
                exportIds[target] = number;
                exports[number] = new Export { Target = target };
            }
            exports[number].Count++;
            return number;
        }

        void Drop(int number, int count)
        {
            Export entry;
            if (number == 0 || count <= 0 || !exports.TryGetValue(number, out entry) || count > entry.Count)
                throw new ProtocolException("more is released than was given");
            entry.Count -= count;
            if (entry.Count > 0) return;
            exports.Remove(number);
            var target = entry.Target as RpcTarget;
            if (target != null) exportIds.Remove(target);
        }

        void Send(params object[] message)
        {
            var line = Encoding.ASCII.GetBytes(Json.Write(new List<object>(message)) + "\n");
            lock (writing)
            {
                try
                {
                    output.Write(line, 0, line.Length);
                    output.Flush();
                }
                catch (IOException) { }
                catch (ObjectDisposedException) { }
            }
        }

        void Lose(string reason)
        {
            List<Answer> waiting;
            lock (exports)
            {
                ended = new CapabilityException("SHARD_UNAVAILABLE", "The peer is gone: " + reason + ".", true);
                waiting = imports.Values.ToList();
                imports.Clear();
            }
            foreach (var answer in waiting) answer.Reject(ended);
            output.Dispose();
            input.Dispose();
        }
    }
}
