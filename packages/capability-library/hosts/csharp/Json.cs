// JSON text to plain values and back: null, bool, long, double, string, List<object>, Dictionary<string, object>.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Switchyard.Host
{
    /// <summary>The peer broke the rules: its session ends.</summary>
    public sealed class ProtocolException : Exception
    {
        public ProtocolException(string message) : base(message) { }
    }

    public static class Json
    {
        /// <summary>How deep a message may nest.</summary>
        const int MaxDepth = 96;
        const long MaxSafeInteger = (1L << 53) - 1;

        public static object Parse(string text)
        {
            var position = 0;
            var value = Value(text, ref position, 0);
            Skip(text, ref position);
            if (position != text.Length) throw Broken(position);
            return value;
        }

        static object Value(string text, ref int position, int depth)
        {
            if (depth > MaxDepth) throw new ProtocolException("a message nests deeper than " + MaxDepth + " levels");
            Skip(text, ref position);
            if (position >= text.Length) throw Broken(position);
            switch (text[position])
            {
                case '{': return Object(text, ref position, depth);
                case '[': return List(text, ref position, depth);
                case '"': return Text(text, ref position);
                case 't': return Word(text, ref position, "true", true);
                case 'f': return Word(text, ref position, "false", false);
                case 'n': return Word(text, ref position, "null", null);
                default: return Number(text, ref position);
            }
        }

        static Dictionary<string, object> Object(string text, ref int position, int depth)
        {
            var result = new Dictionary<string, object>();
            position++;
            Skip(text, ref position);
            if (Take(text, ref position, '}')) return result;
            while (true)
            {
                Skip(text, ref position);
                if (position >= text.Length || text[position] != '"') throw Broken(position);
                var key = Text(text, ref position);
                Skip(text, ref position);
                if (!Take(text, ref position, ':')) throw Broken(position);
                result[key] = Value(text, ref position, depth + 1);
                Skip(text, ref position);
                if (Take(text, ref position, '}')) return result;
                if (!Take(text, ref position, ',')) throw Broken(position);
            }
        }

        static List<object> List(string text, ref int position, int depth)
        {
            var result = new List<object>();
            position++;
            Skip(text, ref position);
            if (Take(text, ref position, ']')) return result;
            while (true)
            {
                result.Add(Value(text, ref position, depth + 1));
                Skip(text, ref position);
                if (Take(text, ref position, ']')) return result;
                if (!Take(text, ref position, ',')) throw Broken(position);
            }
        }

        static string Text(string text, ref int position)
        {
            var start = ++position;
            while (position < text.Length && text[position] != '"' && text[position] != '\\') position++;
            if (position < text.Length && text[position] == '"') return text.Substring(start, position++ - start);
            var result = new StringBuilder(text, start, position - start, 64);
            for (; position < text.Length; position++)
            {
                var character = text[position];
                if (character == '"')
                {
                    position++;
                    return result.ToString();
                }
                result.Append(character == '\\' ? Escaped(text, ref position) : character);
            }
            throw Broken(position);
        }

        static char Escaped(string text, ref int position)
        {
            if (++position >= text.Length) throw Broken(position);
            switch (text[position])
            {
                case 'n': return '\n';
                case 't': return '\t';
                case 'r': return '\r';
                case 'b': return '\b';
                case 'f': return '\f';
                case 'u':
                    ushort code;
                    if (position + 4 >= text.Length || !ushort.TryParse(text.Substring(position + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code))
                        throw Broken(position);
                    position += 4;
                    return (char)code;
                default: return text[position];
            }
        }

        static object Number(string text, ref int position)
        {
            var start = position;
            while (position < text.Length && "+-.0123456789eE".IndexOf(text[position]) >= 0) position++;
            var piece = text.Substring(start, position - start);
            long whole;
            // Beyond what doubles hold exactly it was a double: large integers come as bigint.
            if (long.TryParse(piece, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)
                && whole <= MaxSafeInteger && whole >= -MaxSafeInteger) return whole;
            double number;
            if (Decimals.TryRead(piece, out number)) return number;
            throw Broken(start);
        }

        static object Word(string text, ref int position, string word, object value)
        {
            if (string.CompareOrdinal(text, position, word, 0, word.Length) != 0) throw Broken(position);
            position += word.Length;
            return value;
        }

        static void Skip(string text, ref int position)
        {
            while (position < text.Length && " \t\r\n".IndexOf(text[position]) >= 0) position++;
        }

        static bool Take(string text, ref int position, char character)
        {
            if (position >= text.Length || text[position] != character) return false;
            position++;
            return true;
        }

        static ProtocolException Broken(int position)
        {
            return new ProtocolException("a message is no JSON at character " + position);
        }

        public static string Write(object value)
        {
            var text = new StringBuilder(256);
            Write(text, value);
            return text.ToString();
        }

        static void Write(StringBuilder text, object value)
        {
            if (value == null) text.Append("null");
            else if (value is bool) text.Append((bool)value ? "true" : "false");
            else if (value is string) WriteText(text, (string)value);
            else if (value is double) text.Append(Decimals.Write((double)value));
            else if (value is int || value is long) text.Append(Convert.ToInt64(value).ToString(CultureInfo.InvariantCulture));
            else if (value is List<object>) WriteList(text, (List<object>)value);
            else WriteObject(text, (Dictionary<string, object>)value);
        }

        static void WriteList(StringBuilder text, List<object> list)
        {
            text.Append('[');
            for (var index = 0; index < list.Count; index++)
            {
                if (index > 0) text.Append(',');
                Write(text, list[index]);
            }
            text.Append(']');
        }

        static void WriteObject(StringBuilder text, Dictionary<string, object> value)
        {
            text.Append('{');
            var first = true;
            foreach (var pair in value)
            {
                if (!first) text.Append(',');
                first = false;
                WriteText(text, pair.Key);
                text.Append(':');
                Write(text, pair.Value);
            }
            text.Append('}');
        }

        static void WriteText(StringBuilder text, string value)
        {
            text.Append('"');
            foreach (var character in value)
            {
                if (character == '"' || character == '\\') text.Append('\\').Append(character);
                else if (character >= ' ' && character < 0x7f) text.Append(character);
                else text.Append("\\u").Append(((int)character).ToString("x4"));
            }
            text.Append('"');
        }
    }
}
