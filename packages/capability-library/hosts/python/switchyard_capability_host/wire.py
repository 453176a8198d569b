"""Values on the wire: capnweb's JSON, as far as the host contract needs it. See docs/capability-library.md."""

import base64
import datetime
import math

MAX_DEPTH = 96
"""How deep a message may nest."""

MAX_SAFE_INTEGER = 2**53 - 1
MAX_BIGINT_DIGITS = 16384


class BigInt(int):
    """A whole number that came as a bigint, and goes back as one whatever its size."""


class HostError(Exception):
    """A failure with a code, as callers see it."""

    def __init__(self, code, message, retryable=False):
        super().__init__(message)
        self.code = code
        self.retryable = retryable


class RemoteError(HostError):
    """A failure of the other side, or of a capability behind it."""


class ProtocolError(Exception):
    """The peer broke the rules: its session ends."""


class RpcTarget:
    """Something that the peer may call: only the methods listed in `rpc`, whatever else the object has."""

    rpc = ()


def encode(value, export):
    """The JSON for a value. `export(target)` gives the id under which the peer may call an RpcTarget."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, BigInt):
        return ["bigint", str(int(value))]
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE_INTEGER else ["bigint", str(value)]
    if isinstance(value, float):
        if math.isnan(value):
            return ["nan"]
        if math.isinf(value):
            return ["inf"] if value > 0 else ["-inf"]
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ["bytes", base64.b64encode(bytes(value)).decode("ascii").rstrip("=")]
    if isinstance(value, datetime.datetime):
        return ["date", _to_epoch_ms(value)]
    if isinstance(value, (list, tuple)):
        return [[encode(item, export) for item in value]]
    if isinstance(value, dict):
        return {str(key): encode(item, export) for key, item in value.items()}
    if isinstance(value, RpcTarget):
        return ["export", export(value)]
    if isinstance(value, BaseException):
        return encode_error(value)
    raise TypeError("cannot send " + type(value).__name__)


def encode_error(error):
    """Message, code and whether to try again; never a traceback."""
    code = getattr(error, "code", "CAPABILITY_FAILED")
    retryable = getattr(error, "retryable", False) is True
    return ["error", "Error", str(error)[:2000], None, {"code": str(code), "retryable": retryable}]


def decode(value, refer, depth=0):
    """The value of JSON. `refer(kind, parts)` resolves what points to something: export, import, pipeline, promise."""
    if depth >= MAX_DEPTH:
        raise ProtocolError("a message nests deeper than %d levels" % MAX_DEPTH)
    if isinstance(value, dict):
        return {key: decode(item, refer, depth + 1) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 1 and isinstance(value[0], list):
        return [decode(item, refer, depth + 1) for item in value[0]]
    kind = value[0] if value else None
    if not isinstance(kind, str):
        raise ProtocolError("a list on the wire has no kind")
    if kind in ("export", "import", "pipeline", "promise"):
        return refer(kind, value, depth)
    return _decode_special(kind, value, refer, depth)


def to_number(digits):
    """A whole number of JSON: beyond what doubles hold exactly it was a double, for large integers come as bigint."""
    value = int(digits) if len(digits) < 18 else float(digits)
    return value if abs(value) <= MAX_SAFE_INTEGER else float(value)


def _decode_special(kind, value, refer, depth):
    if kind == "undefined":
        return None
    if kind == "nan":
        return math.nan
    if kind in ("inf", "-inf"):
        return math.inf if kind == "inf" else -math.inf
    content = value[1] if len(value) > 1 else None
    if kind == "bigint" and isinstance(content, str) and len(content) <= MAX_BIGINT_DIGITS:
        return _to_bigint(content)
    if kind == "date" and (content is None or isinstance(content, (int, float))):
        return None if content is None else _from_epoch_ms(content)
    if kind == "bytes" and isinstance(content, str):
        return _to_bytes(content)
    if kind == "url" and isinstance(content, str):
        return content
    if kind == "error" and len(value) >= 3:
        properties = value[4] if len(value) > 4 and isinstance(value[4], dict) else {}
        plain = decode(properties, refer, depth + 1)
        return RemoteError(str(plain.get("code", "CAPABILITY_FAILED")), str(value[2]), plain.get("retryable") is True)
    raise ProtocolError("this host does not take '%s'" % str(kind)[:40])


def _to_bigint(text):
    digits = text[1:] if text.startswith("-") else text
    if not digits.isdigit() or not digits.isascii():
        raise ProtocolError("a bigint holds something else than digits")
    value = 0
    # Python refuses to read very long numbers at once.
    for start in range(0, len(digits), 4000):
        part = digits[start : start + 4000]
        value = value * 10 ** len(part) + int(part)
    return BigInt(-value if text.startswith("-") else value)


def _to_bytes(text):
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise ProtocolError("bytes are no base64") from None


def _to_epoch_ms(value):
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    return (value - _EPOCH) / datetime.timedelta(milliseconds=1)


def _from_epoch_ms(milliseconds):
    try:
        return _EPOCH + datetime.timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        raise HostError("INVALID_PAYLOAD", "A date cannot be used: Python has only those of the years 1 to 9999.") from None


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def measure(value, max_bytes, max_depth):
    """Why a payload cannot travel, or None. The work is bounded by `max_bytes`."""
    ancestors = set()
    total = 0

    def visit(item, depth):
        nonlocal total
        total += len(item) + 2 if isinstance(item, (str, bytes, bytearray)) else 8
        if total > max_bytes:
            return "it is larger than %d bytes" % max_bytes
        if item is None or isinstance(item, (bool, int, float, str, bytes, bytearray, datetime.datetime, RpcTarget)):
            return None
        if not isinstance(item, (list, tuple, dict)):
            return "it holds a %s, which cannot travel; send plain data" % type(item).__name__
        if depth >= max_depth:
            return "it nests deeper than %d levels" % max_depth
        if id(item) in ancestors:
            return "it contains itself"
        ancestors.add(id(item))
        for child in item.values() if isinstance(item, dict) else item:
            refused = visit(child, depth + 1)
            if refused is not None:
                return refused
        if isinstance(item, dict):
            total += sum(len(str(key)) for key in item)
        ancestors.discard(id(item))
        return None

    return visit(value, 0)
