// Decimal text to the nearest double and back. Mono's own conversions are off by a bit now and then, at both ends of the range.
using System;
using System.Globalization;
using System.Numerics;

namespace Switchyard.Host
{
    public static class Decimals
    {
        const int MantissaBits = 53;
        const int SmallestExponent = -1022;
        const int LargestExponent = 1023;
        /// <summary>Enough bits of a quotient that what is left only decides between up and down.</summary>
        const int QuotientBits = 66;
        /// <summary>Powers of ten beyond this are infinite or zero, whatever they are multiplied with.</summary>
        const int MaxPower = 5000;

        /// <summary>Seventeen digits name every double.</summary>
        public static string Write(double value)
        {
            return value.ToString("G17", CultureInfo.InvariantCulture);
        }

        /// <summary>The double that is nearest to the text; false when the text is no number of JSON.</summary>
        public static bool TryRead(string text, out double value)
        {
            value = 0;
            var exponentAt = text.IndexOfAny(new[] { 'e', 'E' });
            var exponent = 0;
            if (exponentAt >= 0 && !int.TryParse(text.Substring(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return false;
            var digits = exponentAt >= 0 ? text.Substring(0, exponentAt) : text;
            var point = digits.IndexOf('.');
            if (point >= 0)
            {
                exponent -= digits.Length - point - 1;
                digits = digits.Remove(point, 1);
            }
            BigInteger whole;
            if (!BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)) return false;
            var magnitude = Nearest(BigInteger.Abs(whole), Math.Max(-MaxPower, Math.Min(MaxPower, exponent)));
            value = digits.StartsWith("-") ? -magnitude : magnitude;
            return true;
        }

        static double Nearest(BigInteger digits, int exponent)
        {
            if (digits.IsZero) return 0;
            var upper = exponent > 0 ? digits * BigInteger.Pow(10, exponent) : digits;
            var lower = exponent < 0 ? BigInteger.Pow(10, -exponent) : BigInteger.One;
            var shift = QuotientBits - (BitLength(upper) - BitLength(lower));
            BigInteger rest;
            var quotient = shift >= 0
                ? BigInteger.DivRem(upper << shift, lower, out rest)
                : BigInteger.DivRem(upper, lower << -shift, out rest);
            var length = BitLength(quotient);
            var leading = length - 1 - shift;
            // Below the smallest normal number there are fewer bits.
            var precision = leading >= SmallestExponent ? MantissaBits : MantissaBits - (SmallestExponent - leading);
            if (precision < 0) return 0;
            var dropped = length - precision;
            var mantissa = quotient >> dropped;
            var remainder = quotient - (mantissa << dropped);
            var half = BigInteger.One << (dropped - 1);
            var above = remainder > half || (remainder == half && !rest.IsZero);
            if (above || (remainder == half && !mantissa.IsEven)) mantissa += 1;
            return Assemble((long)mantissa, dropped - shift);
        }

        /// <summary>The double of mantissa * 2^power, which is exact.</summary>
        static double Assemble(long mantissa, int power)
        {
            if (mantissa == 0) return 0;
            while (mantissa >= 1L << MantissaBits)
            {
                mantissa >>= 1;
                power++;
            }
            var lowest = SmallestExponent - MantissaBits + 1;
            while (mantissa < 1L << (MantissaBits - 1) && power > lowest)
            {
                mantissa <<= 1;
                power--;
            }
            if (power > LargestExponent - MantissaBits + 1) return double.PositiveInfinity;
            var isNormal = mantissa >= 1L << (MantissaBits - 1);
            var biased = isNormal ? (long)(power - lowest + 1) : 0L;
            return BitConverter.Int64BitsToDouble((biased << (MantissaBits - 1)) | (mantissa & ((1L << (MantissaBits - 1)) - 1)));
        }

        static int BitLength(BigInteger value)
        {
            var bytes = value.ToByteArray();
            var last = bytes.Length - 1;
            while (last > 0 && bytes[last] == 0) last--;
            var length = last * 8;
            for (var top = bytes[last]; top > 0; top >>= 1) length++;
            return length;
        }
    }
}
