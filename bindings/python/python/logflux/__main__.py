"""The program ``logflux``, the same as that which is written in Rust."""

from __future__ import annotations

import signal
import sys

from . import _core


def main() -> int:
    """Runs the program with the arguments of this process, and gives its exit status."""
    # Python's own handler would wait for the program's end. Commands that end in order have theirs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _core.run_cli(["logflux", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
