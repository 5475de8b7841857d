"""The names that travel as numbers."""

from __future__ import annotations

import enum


class Level(enum.IntEnum):
    """A severity: that of syslog plus one, the most severe first."""

    EMERGENCY = 1
    ALERT = 2
    CRITICAL = 3
    ERROR = 4
    WARNING = 5
    NOTICE = 6
    INFO = 7
    DEBUG = 8


class Mode(enum.IntEnum):
    """How an entry is sealed: the ``encryption_mode``."""

    PBKDF2 = 1
    """The standard: AES-256-GCM under a PBKDF2-HMAC-SHA256 key of 600,000 iterations."""
    SCRYPT = 2
    """Provisional: AES-256-GCM under a scrypt key."""
    ARGON2 = 3
    """Provisional: AES-256-GCM under an Argon2id key."""
    CHACHA20_ARGON2 = 4
    """Provisional: ChaCha20-Poly1305 under an Argon2id key."""
    HKDF = 128
    """An extension: every entry has a key of its own at full speed, and node, level and timestamp
    are authentic."""
