// The main object of this host: loads capabilities, opens leases, tells how it is.
//
// I1 A key is loaded once; loading it again answers as before.
// I2 A ticket is good for its own lease only, and worth nothing once the lease ended.
// I3 After `unload` nothing of the capability answers any more.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    public sealed class CapabilityHost : RpcTarget
    {
        const long ContractVersion = 1;
        const int MaxThreads = 256;

        sealed class Loaded
        {
            public LoadedCapability Capability;
            public Dictionary<string, object> Report;
        }

        sealed class Ticketed
        {
            public LoadedCapability Capability;
            public string Ticket;
        }

        static readonly HashSet<string> Methods = new HashSet<string> { "describe", "ping", "load", "open", "end", "unload", "listen", "stats" };
        readonly Dictionary<string, Loaded> loaded = new Dictionary<string, Loaded>();
        readonly Dictionary<string, Ticketed> leases = new Dictionary<string, Ticketed>();
        readonly Dictionary<string, RpcTarget> tickets = new Dictionary<string, RpcTarget>();
        readonly Spans spans = new Spans();
        readonly OrderedStart calls;
        readonly object gate = new object();
        readonly object loading = new object();

        public readonly WorkerThreads Threads = new WorkerThreads(MaxThreads);

        public CapabilityHost() { calls = new OrderedStart(Threads); }

        public override bool Has(string method) { return Methods.Contains(method); }
        public override bool IsSlow(string method) { return method == "load" || method == "unload" || method == "end"; }

        public override object Call(string method, object[] given)
        {
            switch (method)
            {
                case "describe": return new Dictionary<string, object> { { "contract", ContractVersion }, { "language", "csharp" }, { "pid", Process.GetCurrentProcess().Id } };
                case "ping": return true;
                case "load": return Load(Record(given, 0));
                case "open": return Open(Record(given, 0), given.Length > 1 ? given[1] as Dictionary<string, object> : null);
                case "end": End(Text(given, 0)); return null;
                case "unload": return Unload(Text(given, 0));
                case "listen": Listen(Text(given, 0)); return null;
                default: return Stats();
            }
        }

        object Load(Dictionary<string, object> order)
        {
            var key = (string)order["key"];
            lock (loading)
            {
                Loaded known;
                lock (gate) if (loaded.TryGetValue(key, out known)) return known.Report;
                var watch = Stopwatch.StartNew();
                LoadContext context;
                try { context = LoadContext.Open((string)order["entry"], SettingsOf(order)); }
                catch (Exception error)
                {
                    var message = "'" + order["name"] + "' " + order["version"] + " could not be loaded: " + error.Message + ". Mend it, and register it again.";
                    throw new CapabilityException("CAPABILITY_LOAD_FAILED", message, true);
                }
                var names = context.Methods.Cast<object>().ToList();
                var report = new Dictionary<string, object> { { "loadMs", watch.Elapsed.TotalMilliseconds }, { "methods", names } };
                lock (gate) loaded[key] = new Loaded { Capability = new LoadedCapability(order, context, calls, spans), Report = report };
                return report;
            }
        }

        static CapabilitySettings SettingsOf(Dictionary<string, object> order)
        {
            return new CapabilitySettings
            {
                Name = (string)order["name"],
                Version = (string)order["version"],
                Shard = (string)order["shard"],
                Config = (Dictionary<string, object>)order["config"],
                StatePath = (string)order["statePath"],
            };
        }

        RpcTarget Open(Dictionary<string, object> order, Dictionary<string, object> dependencies)
        {
            Loaded found;
            var key = (string)order["key"];
            lock (gate)
            {
                if (!loaded.TryGetValue(key, out found))
                    throw new CapabilityException("SHARD_UNAVAILABLE", "'" + key + "' is not there: it is not loaded in this host. Acquire the capability again.", true);
            }
            var leaseId = (string)order["leaseId"];
            var ticket = (string)order["ticket"];
            var stubs = (dependencies ?? new Dictionary<string, object>()).ToDictionary(pair => pair.Key, pair => (Stub)pair.Value);
            var target = found.Capability.Open(leaseId, (string)order["account"], stubs);
            lock (gate)
            {
                leases[leaseId] = new Ticketed { Capability = found.Capability, Ticket = ticket };
                if (ticket != "") tickets[ticket] = target;
            }
            return target;
        }

        void End(string leaseId)
        {
            Ticketed lease;
            lock (gate)
            {
                if (!leases.TryGetValue(leaseId, out lease)) return;
                leases.Remove(leaseId);
                tickets.Remove(lease.Ticket);
            }
            lease.Capability.End(leaseId);
        }

        Dictionary<string, object> Unload(string key)
        {
            Loaded found;
            string[] open;
            lock (gate)
            {
                if (!loaded.TryGetValue(key, out found)) return Report("unloaded", "it was not loaded");
                loaded.Remove(key);
                open = leases.Where(pair => pair.Value.Capability == found.Capability).Select(pair => pair.Key).ToArray();
            }
            foreach (var leaseId in open) End(leaseId);
            var unloading = found.Capability.Close();
            return Report(unloading.Gone ? "unloaded" : "leaked", unloading.Detail);
        }

        static Dictionary<string, object> Report(string outcome, string detail)
        {
            return new Dictionary<string, object> { { "outcome", outcome }, { "detail", detail } };
        }

        void Listen(string path)
        {
            var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            server.Bind(new SocketPath(path));
            server.Listen(64);
            new Thread(() =>
            {
                while (true)
                {
                    var peer = server.Accept();
                    new Thread(() => Serve(peer)) { IsBackground = true }.Start();
                }
            }) { IsBackground = true }.Start();
        }

        void Serve(Socket peer)
        {
            using (var stream = new NetworkStream(peer, true)) new Session(stream, stream, new Gate(this), Threads).Run();
        }

        Dictionary<string, object> Stats()
        {
            lock (gate)
            {
                var counts = loaded.Values.Select(one => one.Capability.Counts).ToArray();
                return new Dictionary<string, object>
                {
                    { "inFlight", counts.Sum(one => one.InFlight) },
                    { "calls", counts.Sum(one => one.Calls) },
                    { "failures", counts.Sum(one => one.Failures) },
                    { "timeouts", counts.Sum(one => one.Timeouts) },
                    { "leases", (long)leases.Count },
                    { "memoryBytes", MemoryBytes() },
                    { "spans", spans.Take() },
                };
            }
        }

        static long MemoryBytes()
        {
            return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
        }

        static Dictionary<string, object> Record(object[] given, int index)
        {
            var record = given.Length > index ? given[index] as Dictionary<string, object> : null;
            if (record != null) return record;
            throw new CapabilityException("INVALID_PAYLOAD", "Parameter " + (index + 1) + " cannot be used: it must be an object.");
        }

        static string Text(object[] given, int index)
        {
            var text = given.Length > index ? given[index] as string : null;
            if (text != null) return text;
            throw new CapabilityException("INVALID_PAYLOAD", "Parameter " + (index + 1) + " cannot be used: it must be a text.");
        }

        /// <summary>The main object of the direct route.</summary>
        sealed class Gate : RpcTarget
        {
            readonly CapabilityHost host;

            public Gate(CapabilityHost host) { this.host = host; }
            public override bool Has(string method) { return method == "redeem"; }

            public override object Call(string method, object[] given)
            {
                RpcTarget target;
                var ticket = Text(given, 0);
                lock (host.gate) if (ticket != "" && host.tickets.TryGetValue(ticket, out target)) return target;
                throw new CapabilityException("RELEASED", "The ticket belongs to no lease, or to one that is over. Acquire it again.");
            }
        }

        /// <summary>The address of a Unix socket; older class libraries have none of their own.</summary>
        sealed class SocketPath : EndPoint
        {
            const int HeadBytes = 2;
            const int MaxPathBytes = 107;
            readonly byte[] path;

            public SocketPath(string path)
            {
                this.path = Encoding.UTF8.GetBytes(path);
                if (this.path.Length > MaxPathBytes) throw new CapabilityException("INVALID_PAYLOAD", "The path of a socket cannot be longer than " + MaxPathBytes + " bytes.");
            }

            public override AddressFamily AddressFamily { get { return AddressFamily.Unix; } }

            public override SocketAddress Serialize()
            {
                var address = new SocketAddress(AddressFamily.Unix, HeadBytes + path.Length + 1);
                for (var index = 0; index < path.Length; index++) address[HeadBytes + index] = path[index];
                address[HeadBytes + path.Length] = 0;
                return address;
            }

            /// <summary>A peer's own address, which has no name.</summary>
            public override EndPoint Create(SocketAddress address) { return new SocketPath(""); }
        }
    }
}
