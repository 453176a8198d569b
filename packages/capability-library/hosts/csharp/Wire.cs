// Values on the wire: capnweb's JSON, as far as the host contract needs it. See docs/capability-library.md.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;
using Switchyard.Capabilities;

namespace Switchyard.Host
{
    /// <summary>Something that the peer may call: only the names that <see cref="Has"/> knows.</summary>
    public abstract class RpcTarget
    {
        public abstract bool Has(string method);
        /// <summary>True: the call may take its time and runs on a thread of its own.</summary>
        public virtual bool IsSlow(string method) { return false; }
        public abstract object Call(string method, object[] parameters);
    }

    public static class Wire
    {
        const long MaxSafeInteger = (1L << 53) - 1;
        const int MaxBigintDigits = 16384;
        const int MaxMessageLength = 2000;
        static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        public static object Encode(object value, Func<RpcTarget, int> export)
        {
            if (value == null || value is bool || value is string) return value;
            if (value is int) return (long)(int)value;
            if (value is long)
            {
                var whole = (long)value;
                return whole <= MaxSafeInteger && whole >= -MaxSafeInteger ? (object)whole : Special("bigint", whole.ToString(CultureInfo.InvariantCulture));
            }
            if (value is BigInteger) return Special("bigint", ((BigInteger)value).ToString(CultureInfo.InvariantCulture));
            if (value is float) return Encode((double)(float)value, export);
            if (value is double) return EncodeDouble((double)value);
            if (value is byte[]) return Special("bytes", Convert.ToBase64String((byte[])value).TrimEnd('='));
            if (value is DateTime) return Special("date", (((DateTime)value).ToUniversalTime() - Epoch).TotalMilliseconds);
            if (value is RpcTarget) return Special("export", (long)export((RpcTarget)value));
            if (value is IDictionary)
            {
                var record = new Dictionary<string, object>();
                foreach (DictionaryEntry pair in (IDictionary)value) record[(string)pair.Key] = Encode(pair.Value, export);
                return record;
            }
            var list = new List<object>();
            foreach (var item in (IEnumerable)value) list.Add(Encode(item, export));
            return new List<object> { list };
        }

        static object EncodeDouble(double value)
        {
            if (double.IsNaN(value)) return Special("nan");
            if (double.IsInfinity(value)) return Special(value > 0 ? "inf" : "-inf");
            return value;
        }

        /// <summary>Message, code and whether to try again; never a stack.</summary>
        public static List<object> EncodeError(Exception error)
        {
            var known = error as CapabilityException;
            var message = error.Message.Length > MaxMessageLength ? error.Message.Substring(0, MaxMessageLength) : error.Message;
            var properties = new Dictionary<string, object>
            {
                { "code", known == null ? "CAPABILITY_FAILED" : known.Code },
                { "retryable", known != null && known.Retryable },
            };
            return new List<object> { "error", "Error", message, null, properties };
        }

        static List<object> Special(string kind, object content = null)
        {
            return content == null ? new List<object> { kind } : new List<object> { kind, content };
        }

        /// <summary>The value of JSON; `refer` resolves what points to something: export, import, pipeline.</summary>
        public static object Decode(object value, Func<string, List<object>, object> refer)
        {
            var record = value as Dictionary<string, object>;
            if (record != null)
            {
                var result = new Dictionary<string, object>();
                foreach (var pair in record) result[pair.Key] = Decode(pair.Value, refer);
                return result;
            }
            var list = value as List<object>;
            if (list == null) return value;
            if (list.Count == 1 && list[0] is List<object>)
            {
                var result = new List<object>();
                foreach (var item in (List<object>)list[0]) result.Add(Decode(item, refer));
                return result;
            }
            var kind = list.Count > 0 ? list[0] as string : null;
            if (kind == "export" || kind == "import" || kind == "pipeline") return refer(kind, list);
            return DecodeSpecial(kind, list, refer);
        }

        static object DecodeSpecial(string kind, List<object> list, Func<string, List<object>, object> refer)
        {
            var content = list.Count > 1 ? list[1] : null;
            var text = content as string;
            switch (kind)
            {
                case "undefined": return null;
                case "nan": return double.NaN;
                case "inf": return double.PositiveInfinity;
                case "-inf": return double.NegativeInfinity;
                case "url": return text;
                case "bigint": if (text != null) return ToBigint(text); break;
                case "bytes": if (text != null) return ToBytes(text); break;
                case "date":
                    if (content == null) return null;
                    if (content is long || content is double) return ToDate(Convert.ToDouble(content));
                    break;
                case "error": if (list.Count >= 3) return ToError(list, refer); break;
            }
            throw new ProtocolException("this host does not take '" + (kind ?? "a list without a kind") + "'");
        }

        static BigInteger ToBigint(string text)
        {
            BigInteger value;
            if (text.Length <= MaxBigintDigits && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)) return value;
            throw new ProtocolException("a bigint holds something else than digits, or too many");
        }

        static byte[] ToBytes(string text)
        {
            try { return Convert.FromBase64String(text + new string('=', (4 - text.Length % 4) % 4)); }
            catch (FormatException) { throw new ProtocolException("bytes are no base64"); }
        }

        static DateTime ToDate(double milliseconds)
        {
            try { return Epoch.AddTicks((long)(milliseconds * TimeSpan.TicksPerMillisecond)); }
            catch (ArgumentOutOfRangeException) { throw new CapabilityException("INVALID_PAYLOAD", "A date cannot be used: C# has only those of the years 1 to 9999."); }
        }

        static CapabilityException ToError(List<object> list, Func<string, List<object>, object> refer)
        {
            var properties = list.Count > 4 ? list[4] as Dictionary<string, object> : null;
            object code = null, retryable = null;
            if (properties != null)
            {
                properties.TryGetValue("code", out code);
                properties.TryGetValue("retryable", out retryable);
            }
            return new CapabilityException(code as string ?? "CAPABILITY_FAILED", Convert.ToString(list[2]), retryable is bool && (bool)retryable);
        }
    }

    /// <summary>Weighs a payload: why it cannot travel, or null. The work is bounded by the largest size.</summary>
    public sealed class PayloadMeasure
    {
        readonly long maxBytes;
        readonly int maxDepth;
        readonly HashSet<object> ancestors = new HashSet<object>(ByReference.Instance);
        long bytes;

        PayloadMeasure(long maxBytes, int maxDepth)
        {
            this.maxBytes = maxBytes;
            this.maxDepth = maxDepth;
        }

        public static string Refusal(object value, long maxBytes, int maxDepth)
        {
            return new PayloadMeasure(maxBytes, maxDepth).Visit(value, 0);
        }

        string Visit(object value, int depth)
        {
            bytes += value is string ? ((string)value).Length + 2 : value is byte[] ? ((byte[])value).Length : 8;
            if (bytes > maxBytes) return "it is larger than " + maxBytes + " bytes";
            if (IsPlain(value)) return null;
            var record = value as Dictionary<string, object>;
            var list = value as IList;
            if (record == null && !(list is List<object>) && !(list is object[]))
                return "it holds a " + value.GetType().Name + ", which cannot travel; send plain data";
            if (depth >= maxDepth) return "it nests deeper than " + maxDepth + " levels";
            if (!ancestors.Add(value)) return "it contains itself";
            foreach (var item in record == null ? (IEnumerable)list : record.Values)
            {
                var refused = Visit(item, depth + 1);
                if (refused != null) return refused;
            }
            if (record != null) foreach (var key in record.Keys) bytes += key.Length;
            ancestors.Remove(value);
            return null;
        }

        static bool IsPlain(object value)
        {
            return value == null || value is bool || value is int || value is long || value is float || value is double
                || value is string || value is BigInteger || value is byte[] || value is DateTime;
        }

        sealed class ByReference : IEqualityComparer<object>
        {
            public static readonly ByReference Instance = new ByReference();
            bool IEqualityComparer<object>.Equals(object left, object right) { return ReferenceEquals(left, right); }
            int IEqualityComparer<object>.GetHashCode(object value) { return System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value); }
        }
    }
}
