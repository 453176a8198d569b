// The part of a capability that lives where its code is loaded: in an application domain under Mono, in a collectible
// load context under .NET. Everything that crosses is plain data, so nothing outside can keep the code alive.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Threading;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    /// <summary>What a call came to.</summary>
    [Serializable]
    public sealed class Outcome
    {
        public object Value;
        /// <summary>What the method threw, or null.</summary>
        public string Failure;
        /// <summary>The code of what it threw, when it is one that callers know.</summary>
        public string Code;
        public bool Retryable;
        /// <summary>Why the result cannot travel, or null.</summary>
        public string Refusal;
    }

    /// <summary>The terms of one call, as plain data.</summary>
    [Serializable]
    public sealed class CallTerms
    {
        public long CallId;
        public string Account;
        public string LeaseId;
        public string Traceparent;
        public long MaxPayloadBytes;
    }

    /// <summary>How a capability reaches others: it stays outside, and calls go through.</summary>
    public abstract class DependencyDoor : MarshalByRefObject
    {
        public abstract bool Has(string name);
        public abstract Outcome Invoke(string name, string method, object[] parameters, string traceparent);
        public override object InitializeLifetimeService() { return null; }
    }

    public sealed class CapabilityRunner : MarshalByRefObject
    {
        public const int MaxPayloadDepth = 64;
        readonly Dictionary<long, ManualResetEvent> running = new Dictionary<long, ManualResetEvent>();
        ICapability capability;

        /// <summary>No lease of remoting: it lives as long as its domain.</summary>
        public override object InitializeLifetimeService() { return null; }

        /// <summary>Loads by path, for application domains; returns the names of the methods.</summary>
        public string[] Load(string entry, CapabilitySettings settings)
        {
            // What a capability prints must not end up between the messages; statics are the domain's own.
            Console.SetOut(Console.Error);
            return Start(Assembly.LoadFrom(entry), settings);
        }

        public string[] Start(Assembly assembly, CapabilitySettings settings)
        {
            var type = assembly.GetExportedTypes().FirstOrDefault(one => typeof(ICapability).IsAssignableFrom(one) && one.IsClass && !one.IsAbstract);
            if (type == null) throw new InvalidOperationException("it has no public class that implements ICapability");
            try { capability = (ICapability)Activator.CreateInstance(type, settings); }
            catch (TargetInvocationException error) { throw new InvalidOperationException(error.InnerException.Message); }
            return capability.Methods.Keys.ToArray();
        }

        public Outcome Invoke(CallTerms terms, string method, object[] parameters, DependencyDoor door)
        {
            var cancelled = new ManualResetEvent(false);
            lock (running) running[terms.CallId] = cancelled;
            try
            {
                var value = capability.Methods[method](new RunningCall(terms, cancelled, door), parameters);
                var refusal = PayloadMeasure.Refusal(value, terms.MaxPayloadBytes, MaxPayloadDepth);
                return refusal == null ? new Outcome { Value = value } : new Outcome { Refusal = refusal };
            }
            catch (ThreadAbortException) { throw; }
            catch (Exception error)
            {
                var known = error as CapabilityException;
                return new Outcome { Failure = error.Message, Code = known == null ? null : known.Code, Retryable = known != null && known.Retryable };
            }
            finally
            {
                lock (running) running.Remove(terms.CallId);
            }
        }

        public void Cancel(long callId)
        {
            ManualResetEvent cancelled;
            lock (running) if (!running.TryGetValue(callId, out cancelled)) return;
            cancelled.Set();
        }

        public void LeaseEnded(string leaseId, string account) { capability.LeaseEnded(leaseId, account); }

        public void Close()
        {
            capability.Dispose();
            capability = null;
        }

        sealed class RunningCall : ICall
        {
            readonly CallTerms terms;
            readonly ManualResetEvent cancelled;
            readonly DependencyDoor door;

            public RunningCall(CallTerms terms, ManualResetEvent cancelled, DependencyDoor door)
            {
                this.terms = terms;
                this.cancelled = cancelled;
                this.door = door;
            }

            public string Account { get { return terms.Account; } }
            public string LeaseId { get { return terms.LeaseId; } }
            public string Traceparent { get { return terms.Traceparent; } }
            public bool Cancelled { get { return cancelled.WaitOne(0); } }
            public bool WaitForCancellation(int milliseconds) { return cancelled.WaitOne(milliseconds); }

            public IDependency Dependency(string name)
            {
                if (door.Has(name)) return new OpenDependency(door, name, terms.Traceparent);
                throw new CapabilityException("DEPENDENCY_MISSING", "This capability requires no '" + name + "'.");
            }
        }

        sealed class OpenDependency : IDependency
        {
            readonly DependencyDoor door;
            readonly string name;
            readonly string traceparent;

            public OpenDependency(DependencyDoor door, string name, string traceparent)
            {
                this.door = door;
                this.name = name;
                this.traceparent = traceparent;
            }

            public object Invoke(string method, object[] parameters)
            {
                var outcome = door.Invoke(name, method, parameters, traceparent);
                if (outcome.Failure == null) return outcome.Value;
                throw new CapabilityException(outcome.Code ?? "CAPABILITY_FAILED", outcome.Failure, outcome.Retryable);
            }
        }
    }
}
