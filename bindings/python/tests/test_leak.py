"""Memory stays steady."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

import logflux
from support import SECRET

SEALS = 100_000


def resident() -> int:
    """The memory of this process, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if "VmRSS" in line)


def test_a_hundred_thousand_seals_leave_nothing_behind() -> None:
    sealer, opener = logflux.Sealer(SECRET, mode=128), logflux.Opener(SECRET)

    def work(seals: int) -> None:
        for i in range(seals):
            entry = sealer.seal(f"message {i}" * 10, level="info")
            opener.open(entry.to_dict() if i % 2 else entry.to_json())
            if i % 10 == 0:
                with contextlib.suppress(logflux.EntryError):
                    opener.open("{}")

    work(SEALS // 10)
    gc.collect()
    before, objects = resident(), len(gc.get_objects())
    work(SEALS)
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    # A leak of one entry's JSON alone would be 30 MB.
    assert resident() - before < 4 * 2**20


def test_a_thousand_clients_leave_nothing_behind() -> None:
    def work(clients: int) -> None:
        for _ in range(clients):
            client = logflux.Client("https://127.0.0.1:1", "n", "lf_" + "a" * 32, SECRET)
            client.close(0)

    work(100)
    gc.collect()
    before = resident()
    work(1_000)
    gc.collect()
    assert resident() - before < 4 * 2**20
