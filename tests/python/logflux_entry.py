"""The LogFlux entry format once more, on Python's own libraries.

It shares nothing with the Rust code: PBKDF2, HKDF and the ciphers are those of ``cryptography``,
scrypt is that of ``hashlib``, Argon2 that of ``argon2-cffi``. It is written from the protocol
alone, to be read beside it, and is slow.
"""

import base64
import calendar
import hashlib
import hmac
import json
import re
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

MODES = (1, 2, 3, 4, 128)
PAYLOAD_MAX = 1_048_576 // 4 * 3
FIELDS = {
    "node": str,
    "payload": str,
    "loglevel": int,
    "timestamp": str,
    "encryption_mode": int,
    "iv": str,
    "salt": str,
}


class Refused(Exception):
    """Something is no entry, or does not open; ``stage`` says where it failed, if anywhere."""

    def __init__(self, stage, reason):
        super().__init__(f"{stage}: {reason}")
        self.stage = stage


@dataclass(frozen=True)
class Entry:
    """An entry with its binary fields decoded."""

    node: str
    payload: bytes
    level: int
    timestamp: tuple  # seconds since 1970, nanoseconds
    mode: int
    iv: bytes
    salt: bytes


# Keys.


def check_secret(secret):
    """Refuses a secret that is none."""
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        raise Refused(None, "the secret is not UTF-8") from None
    if not text.strip():
        raise Refused(None, "the secret is empty or white space")


def pbkdf2(secret, salt):
    """The key of mode 1, and the epoch key of mode 128."""
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=600_000)
    return kdf.derive(secret)


def scrypt(secret, salt):
    """The key of mode 2."""
    return hashlib.scrypt(secret, salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32)


def argon2(secret, salt):
    """The key of modes 3 and 4."""
    return hash_secret_raw(
        secret,
        salt,
        time_cost=2,
        memory_cost=19_456,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
        version=0x13,
    )


class Keys:
    """Derives keys, each once."""

    def __init__(self):
        self._known = {}

    def _derived(self, kdf, secret, salt):
        if (kdf, secret, salt) not in self._known:
            self._known[kdf, secret, salt] = kdf(secret, salt)
        return self._known[kdf, secret, salt]

    def key(self, secret, mode, salt):
        """The key of an entry, and its commitment, which is empty in modes 1 to 4."""
        if mode == 128:
            epoch = self._derived(pbkdf2, secret, b"logflux/128/epoch" + salt[:16])
            info = b"logflux/128/entry" + salt[16:]
            okm = HKDFExpand(algorithm=hashes.SHA256(), length=64, info=info).derive(epoch)
            return okm[:32], okm[32:]
        kdf = {1: pbkdf2, 2: scrypt, 3: argon2, 4: argon2}[mode]
        return self._derived(kdf, secret, salt), b""


def cipher(mode, key):
    """The cipher of a mode."""
    return ChaCha20Poly1305(key) if mode == 4 else AESGCM(key)


def associated_data(mode, node, level, timestamp):
    """What mode 128 authenticates beside the message."""
    if mode != 128:
        return None
    name = node.encode()
    seconds, nanoseconds = timestamp
    return b"logflux/128" + struct.pack(">BqIH", level, seconds, nanoseconds, len(name)) + name


# Times.

TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


def read_timestamp(text):
    """Seconds since 1970 and nanoseconds of an RFC 3339 time."""
    parts = TIME.fullmatch(text)
    if parts is None:
        raise Refused("field", "the timestamp is not RFC 3339")
    date, fraction, sign, hours, minutes = parts.groups()
    try:
        moment = datetime.strptime(date, "%Y-%m-%dT%H:%M:%S")
        if moment.strftime("%S") != date[-2:]:
            raise ValueError("leap second")
        if sign:
            if int(hours) > 23 or int(minutes) > 59:
                raise ValueError("offset")
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        raise Refused("field", "the timestamp is out of range") from None
    return calendar.timegm(moment.timetuple()), int((fraction or "0").ljust(9, "0"))


def write_timestamp(timestamp):
    """The canonical form of a time."""
    seconds, nanoseconds = timestamp
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    text = moment.isoformat(timespec="seconds")
    for digits in (0, 3, 6, 9):
        if nanoseconds % 10 ** (9 - digits) == 0:
            break
    fraction = f".{nanoseconds // 10 ** (9 - digits):0{digits}}" if digits else ""
    return f"{text}{fraction}Z"


# Entries.


def check_node(node):
    """Refuses a node name that is none."""
    if not 1 <= len(node) <= 255:
        raise Refused("field", "the node has not 1 to 255 characters")
    if any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in node):
        raise Refused("field", "the node has a control character")


def check_level(level):
    """Refuses a level that is none."""
    if not 1 <= level <= 8:
        raise Refused("field", "the level is not 1 to 8")


def check_mode(mode):
    """Refuses a mode that is none."""
    if mode not in MODES:
        raise Refused("mode", "there is no such mode")


def unbase64(text, name):
    """The bytes of canonical base64."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise Refused("base64", f"{name} is not canonical base64")
    return data


def distinct(pairs):
    """An object whose keys differ."""
    if len(dict(pairs)) != len(pairs):
        raise Refused("json", "a key stands twice")
    return dict(pairs)


def no_constant(text):
    """NaN and the like, which Python would read."""
    raise ValueError(text)


def parse(data):
    """Reads one entry as an opener does."""
    try:
        fields = json.loads(data.decode(), object_pairs_hook=distinct, parse_constant=no_constant)
        json.dumps(fields, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except (ValueError, RecursionError):
        raise Refused("json", "not JSON in UTF-8") from None
    if not isinstance(fields, dict):
        raise Refused("json", "not an object")
    for name, kind in FIELDS.items():
        if name not in fields:
            raise Refused("field", f"{name} is missing")
        if type(fields[name]) is not kind:
            raise Refused("field", f"{name} is of a wrong type")
    mode = fields["encryption_mode"]
    check_mode(mode)
    check_node(fields["node"])
    check_level(fields["loglevel"])
    timestamp = read_timestamp(fields["timestamp"])
    iv, salt = unbase64(fields["iv"], "iv"), unbase64(fields["salt"], "salt")
    payload = unbase64(fields["payload"], "payload")
    if len(iv) != 12 or len(salt) != 32:
        raise Refused("size", "the iv has not 12 bytes, or the salt not 32")
    if not (48 if mode == 128 else 16) <= len(payload) <= PAYLOAD_MAX:
        raise Refused("size", "the payload is too short or too long")
    return Entry(fields["node"], payload, fields["loglevel"], timestamp, mode, iv, salt)


def write(entry):
    """The canonical JSON of an entry."""
    fields = {
        "node": entry.node,
        "payload": base64.b64encode(entry.payload).decode(),
        "loglevel": entry.level,
        "timestamp": write_timestamp(entry.timestamp),
        "encryption_mode": entry.mode,
        "iv": base64.b64encode(entry.iv).decode(),
        "salt": base64.b64encode(entry.salt).decode(),
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def seal(message, secret, *, node, level, timestamp, mode, iv, salt, keys):
    """Seals a message with everything given."""
    check_secret(secret)
    check_mode(mode)
    check_node(node)
    check_level(level)
    moment = read_timestamp(timestamp)
    if len(iv) != 12 or len(salt) != 32:
        raise Refused("size", "the iv has not 12 bytes, or the salt not 32")
    if len(message) > PAYLOAD_MAX - (48 if mode == 128 else 16):
        raise Refused("size", "the message is too long")
    key, commitment = keys.key(secret, mode, salt)
    data = associated_data(mode, node, level, moment)
    payload = commitment + cipher(mode, key).encrypt(iv, message, data)
    return Entry(node, payload, level, moment, mode, iv, salt)


def open_entry(entry, secret, keys):
    """The message of an entry."""
    check_secret(secret)
    key, commitment = keys.key(secret, entry.mode, entry.salt)
    if not hmac.compare_digest(entry.payload[: len(commitment)], commitment):
        raise Refused("authentication", "the key is another")
    data = associated_data(entry.mode, entry.node, entry.level, entry.timestamp)
    text = entry.payload[len(commitment) :]
    try:
        message = cipher(entry.mode, key).decrypt(entry.iv, text, data)
    except InvalidTag:
        raise Refused("authentication", "the tag is another") from None
    try:
        message.decode()
    except UnicodeDecodeError:
        raise Refused("utf8", "the message is not UTF-8") from None
    return message
