// Spans of this host's calls, in the trace of whoever calls (W3C Trace Context).
//
// I1 A span continues the trace of its `traceparent` under an id of its own; a broken or unsampled one is handed on as it is.
// I2 No more than `MaxKept` finished spans wait to be taken; the oldest goes first.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Switchyard.Host
{
    /// <summary>A call that goes on; Traceparent is what it hands on.</summary>
    public sealed class Span
    {
        static readonly Regex Pattern = new Regex("^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$", RegexOptions.CultureInvariant);
        static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        readonly Spans spans;
        readonly Dictionary<string, object> record;
        readonly Stopwatch watch;

        public Span(Spans spans, string name, string traceparent)
        {
            this.spans = spans;
            Traceparent = traceparent;
            var match = Pattern.Match(traceparent);
            if (!match.Success || match.Groups[1].Value.Trim('0') == "" || match.Groups[2].Value.Trim('0') == "") return;
            if ((int.Parse(match.Groups[3].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) & 1) == 0) return;
            var spanId = Guid.NewGuid().ToString("N").Substring(0, 16);
            Traceparent = "00-" + match.Groups[1].Value + "-" + spanId + "-" + match.Groups[3].Value;
            watch = Stopwatch.StartNew();
            record = new Dictionary<string, object>
            {
                { "traceId", match.Groups[1].Value },
                { "spanId", spanId },
                { "parentSpanId", match.Groups[2].Value },
                { "name", name },
                { "startMs", (DateTime.UtcNow - Epoch).TotalMilliseconds },
            };
        }

        public string Traceparent { get; private set; }

        /// <summary>The code that the call failed with, or an empty text.</summary>
        public void End(string error)
        {
            if (record == null) return;
            record["durationMs"] = watch.Elapsed.TotalMilliseconds;
            record["error"] = error;
            spans.Finish(record);
        }
    }

    public sealed class Spans
    {
        const int MaxKept = 1000;
        readonly Queue<object> finished = new Queue<object>();

        public Span Begin(string name, string traceparent) { return new Span(this, name, traceparent); }

        public void Finish(Dictionary<string, object> record)
        {
            lock (finished)
            {
                finished.Enqueue(record);
                if (finished.Count > MaxKept) finished.Dequeue();
            }
        }

        /// <summary>What has finished since the last time.</summary>
        public List<object> Take()
        {
            lock (finished)
            {
                var taken = new List<object>(finished);
                finished.Clear();
                return taken;
            }
        }
    }
}
