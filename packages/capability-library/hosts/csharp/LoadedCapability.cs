// One capability inside this host: guards every call of every lease, by the same rules as the Node.js host.
//
// I1 A target answers RELEASED once its lease ended; its running calls are told to stop and fail so.
// I2 No more than `maxConcurrentCalls` calls run at once; the next one fails with RESOURCE_EXHAUSTED.
// I3 A call that takes longer than its limit fails with TIMEOUT, and is told to stop.
// I4 Payloads that are too large, too deep, cyclic or of a foreign class fail with INVALID_PAYLOAD.
// I5 Only the names in the capability's `Methods` can be called.
// I6 Two calls of one account with one method and one idempotency key run it once, unless the first failed.
// I7 What a method throws reaches the caller as CAPABILITY_FAILED with its message alone.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    public sealed class CallCounts
    {
        public long Calls;
        public long Failures;
        public long Timeouts;
        public long InFlight;
    }

    sealed class Lease
    {
        public string Id;
        public string Account;
        public Door Door;
        public bool Ended;
        public readonly HashSet<Action<CapabilityException>> Stops = new HashSet<Action<CapabilityException>>();
    }

    /// <summary>The capabilities that a lease depends on.</summary>
    sealed class Door : DependencyDoor
    {
        readonly Dictionary<string, Stub> stubs;

        public Door(Dictionary<string, Stub> stubs) { this.stubs = stubs; }
        public override bool Has(string name) { return name != null && stubs.ContainsKey(name); }

        public override Outcome Invoke(string name, string method, object[] parameters, string traceparent)
        {
            var options = new Dictionary<string, object>();
            if (traceparent != "") options["traceparent"] = traceparent;
            try { return new Outcome { Value = stubs[name].Call("invoke", method, new List<object>(parameters), options).Wait() }; }
            catch (CapabilityException error) { return new Outcome { Failure = error.Message, Code = error.Code, Retryable = error.Retryable }; }
        }

        public void Release() { foreach (var stub in stubs.Values) stub.Release(); }
    }

    /// <summary>What callers hold: one method, so a peer can reach nothing else.</summary>
    sealed class LeasedTarget : RpcTarget
    {
        readonly LoadedCapability capability;
        readonly Lease lease;

        public LeasedTarget(LoadedCapability capability, Lease lease)
        {
            this.capability = capability;
            this.lease = lease;
        }

        public override bool Has(string method) { return method == "invoke"; }

        public override object Call(string method, object[] parameters)
        {
            var options = parameters.Length > 2 ? parameters[2] as Dictionary<string, object> : null;
            var given = parameters.Length > 1 ? parameters[1] : null;
            return capability.Call(lease, parameters.Length > 0 ? parameters[0] : null, given, options ?? new Dictionary<string, object>());
        }
    }

    public sealed class LoadedCapability
    {
        const int MaxRememberedKeys = 1000;
        readonly LoadContext context;
        readonly OrderedStart threads;
        readonly Spans spans;
        readonly string name;
        readonly HashSet<string> methods;
        readonly long maxConcurrentCalls;
        readonly long maxPayloadBytes;
        readonly double maxExecutionMs;
        readonly object gate = new object();
        readonly Dictionary<string, Lease> leases = new Dictionary<string, Lease>();
        readonly Dictionary<string, Answer> answers = new Dictionary<string, Answer>();
        readonly Queue<string> remembered = new Queue<string>();
        long nextCall = 1;

        public readonly CallCounts Counts = new CallCounts();

        public LoadedCapability(Dictionary<string, object> order, LoadContext context, OrderedStart threads, Spans spans)
        {
            this.context = context;
            this.threads = threads;
            this.spans = spans;
            name = (string)order["name"];
            methods = new HashSet<string>(context.Methods);
            var limits = (Dictionary<string, object>)order["limits"];
            maxConcurrentCalls = Convert.ToInt64(limits["maxConcurrentCalls"]);
            maxPayloadBytes = Convert.ToInt64(limits["maxPayloadBytes"]);
            maxExecutionMs = Convert.ToDouble(limits["maxExecutionMs"]);
        }

        public RpcTarget Open(string leaseId, string account, Dictionary<string, Stub> stubs)
        {
            foreach (var stub in stubs.Values) stub.Keep();
            var lease = new Lease { Id = leaseId, Account = account, Door = new Door(stubs) };
            lock (gate) leases[leaseId] = lease;
            return new LeasedTarget(this, lease);
        }

        public void End(string leaseId)
        {
            Lease lease;
            Action<CapabilityException>[] stops;
            lock (gate)
            {
                if (!leases.TryGetValue(leaseId, out lease)) return;
                leases.Remove(leaseId);
                lease.Ended = true;
                stops = lease.Stops.ToArray();
            }
            foreach (var stop in stops) stop(Released());
            context.Runner.LeaseEnded(lease.Id, lease.Account);
            lease.Door.Release();
        }

        public Unloading Close()
        {
            string[] open;
            lock (gate) open = leases.Keys.ToArray();
            foreach (var leaseId in open) End(leaseId);
            lock (gate) answers.Clear();
            context.Runner.Close();
            return context.Unload();
        }

        internal object Call(Lease lease, object method, object parameters, Dictionary<string, object> options)
        {
            object key;
            if (!options.TryGetValue("idempotencyKey", out key) || key == null) return Run(lease, method, parameters, options);
            var memory = Json.Write(new List<object> { lease.Account, Convert.ToString(method), Convert.ToString(key) });
            lock (gate)
            {
                Answer known;
                if (!lease.Ended && answers.TryGetValue(memory, out known)) return known;
                var answer = Run(lease, method, parameters, options);
                answers[memory] = answer;
                remembered.Enqueue(memory);
                if (remembered.Count > MaxRememberedKeys) answers.Remove(remembered.Dequeue());
                answer.Then(() => { if (answer.Error != null) lock (gate) answers.Remove(memory); });
                return answer;
            }
        }

        Answer Run(Lease lease, object methodName, object given, Dictionary<string, object> options)
        {
            var method = methodName as string;
            if (lease.Ended) throw Released();
            if (method == null || !methods.Contains(method))
                throw new CapabilityException("METHOD_NOT_FOUND", "'" + name + "' has no method '" + method + "'. It has: " + string.Join(", ", methods) + ".");
            var parameters = given as List<object>;
            if (parameters == null) throw Invalid("The parameters of '" + method + "'", "they are no list");
            Check(PayloadMeasure.Refusal(parameters, maxPayloadBytes, CapabilityRunner.MaxPayloadDepth), "The parameters of '" + method + "'");
            var answer = new Answer();
            var runner = context.Runner;
            var span = spans.Begin(name + "." + method, TextOf(options, "traceparent"));
            Action<CapabilityException> stop;
            CallTerms terms;
            lock (gate)
            {
                if (Counts.InFlight >= maxConcurrentCalls) throw Exhausted(maxConcurrentCalls + " calls", "its calls are all busy");
                Counts.Calls++;
                Counts.InFlight++;
                terms = new CallTerms { CallId = nextCall++, Account = lease.Account, LeaseId = lease.Id, Traceparent = span.Traceparent, MaxPayloadBytes = maxPayloadBytes };
                stop = error =>
                {
                    // The caller hears of the reason, not of what the method makes of being told to stop.
                    if (!answer.Reject(error)) return;
                    try { runner.Cancel(terms.CallId); }
                    catch (AppDomainUnloadedException) { }
                };
                lease.Stops.Add(stop);
            }
            var timer = Timeout(method, TimeoutOf(options), stop);
            answer.Then(() =>
            {
                timer.Dispose();
                var known = answer.Error as CapabilityException;
                span.End(answer.Error == null ? "" : known == null ? "CAPABILITY_FAILED" : known.Code);
                lock (gate)
                {
                    lease.Stops.Remove(stop);
                    Counts.InFlight--;
                    if (answer.Error != null) Counts.Failures++;
                }
            });
            threads.Submit(
                () => Work(answer, () => runner.Invoke(terms, method, parameters.ToArray(), lease.Door), method),
                answer,
                () => answer.Reject(Exhausted("threads", "methods that do not return hold them")));
            return answer;
        }

        void Work(Answer answer, Func<Outcome> invoke, string method)
        {
            try
            {
                var outcome = invoke();
                if (outcome.Refusal != null) answer.Reject(Invalid("The result of '" + method + "'", outcome.Refusal));
                else if (outcome.Code != null) answer.Reject(new CapabilityException(outcome.Code, outcome.Failure, outcome.Retryable));
                else if (outcome.Failure != null) answer.Reject(Failed(method, outcome.Failure));
                else answer.Resolve(outcome.Value);
            }
            catch (ThreadAbortException)
            {
                // Its domain is unloaded; this thread belongs to the host and goes on.
#if !NETCOREAPP
                Thread.ResetAbort();
#endif
                answer.Reject(Released());
            }
            catch (AppDomainUnloadedException) { answer.Reject(Released()); }
            catch (Exception error) { answer.Reject(Failed(method, error.Message)); }
        }

        Timer Timeout(string method, double timeoutMs, Action<CapabilityException> stop)
        {
            return new Timer(_ =>
            {
                lock (gate) Counts.Timeouts++;
                var message = "'" + method + "' of '" + name + "' took more than " + timeoutMs + " ms. Allow more time, or try again: what was begun goes on.";
                stop(new CapabilityException("TIMEOUT", message, true));
            }, null, (long)Math.Ceiling(timeoutMs), System.Threading.Timeout.Infinite);
        }

        double TimeoutOf(Dictionary<string, object> options)
        {
            object asked;
            options.TryGetValue("timeoutMs", out asked);
            var number = asked is long || asked is double ? Convert.ToDouble(asked) : 0;
            return number > 0 ? Math.Min(number, maxExecutionMs) : maxExecutionMs;
        }

        static string TextOf(Dictionary<string, object> options, string key)
        {
            object value;
            return options.TryGetValue(key, out value) ? value as string ?? "" : "";
        }

        static void Check(string refusal, string what) { if (refusal != null) throw Invalid(what, refusal); }

        static CapabilityException Invalid(string what, string reason)
        {
            return new CapabilityException("INVALID_PAYLOAD", what + " cannot be used: " + reason + ".");
        }

        CapabilityException Failed(string method, string reason)
        {
            return new CapabilityException("CAPABILITY_FAILED", "'" + method + "' of '" + name + "' failed: " + reason);
        }

        CapabilityException Exhausted(string limit, string reason)
        {
            return new CapabilityException("RESOURCE_EXHAUSTED", "'" + name + "' is at its limit of " + limit + ": " + reason + ". Try again later, or raise the limit.", true);
        }

        CapabilityException Released()
        {
            return new CapabilityException("RELEASED", "The lease of '" + name + "' has ended: it was released or taken back. Acquire it again.");
        }
    }
}
