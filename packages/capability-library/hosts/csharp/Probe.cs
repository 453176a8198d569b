// What the contract suite calls; the twin of the Node.js probe.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Switchyard.Capabilities;

public sealed class Probe : ICapability
{
    readonly CapabilitySettings settings;
    readonly List<object> ended = new List<object>();
    readonly List<byte[]> held = new List<byte[]>();
    long count;

    public IDictionary<string, CapabilityMethod> Methods { get; private set; }

    public Probe(CapabilitySettings settings)
    {
        this.settings = settings;
        Methods = new Dictionary<string, CapabilityMethod>
        {
            { "echo", (call, given) => given[0] },
            { "add", (call, given) => (long)given[0] + (long)given[1] },
            { "fail", (call, given) => { throw new InvalidOperationException((string)given[0]); } },
            { "wait", (call, given) => { call.WaitForCancellation(-1); throw new InvalidOperationException("stopped"); } },
            { "ignore", (call, given) => { Thread.Sleep(Timeout.Infinite); return null; } },
            { "spin", (call, given) => { while (true) { } } },
            { "ask", (call, given) => call.Dependency((string)given[0]).Invoke((string)given[1], ((List<object>)given[2]).ToArray()) },
            { "big", (call, given) => new string('x', (int)(long)given[0]) },
            { "cycle", (call, given) => Cycle() },
            { "account", (call, given) => call.Account },
            { "trace", (call, given) => call.Traceparent },
            { "count", (call, given) => Interlocked.Increment(ref count) },
            { "ended", (call, given) => { lock (ended) return ended.ToList(); } },
            { "settings", (call, given) => Settings() },
            { "print", (call, given) => { Console.WriteLine(given[0]); return null; } },
            { "hold", (call, given) => { lock (held) held.Add(Enumerable.Repeat((byte)1, (int)(long)given[0]).ToArray()); return null; } },
            { "exit", (call, given) => { Environment.Exit(3); return null; } },
        };
    }

    public void LeaseEnded(string leaseId, string account) { lock (ended) ended.Add(leaseId); }
    public void Dispose() { held.Clear(); }

    static object Cycle()
    {
        var cycle = new Dictionary<string, object>();
        cycle["self"] = cycle;
        return cycle;
    }

    object Settings()
    {
        return new Dictionary<string, object>
        {
            { "name", settings.Name },
            { "version", settings.Version },
            { "shard", settings.Shard },
            { "config", settings.Config },
        };
    }
}
