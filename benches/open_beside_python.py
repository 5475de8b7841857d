"""Opens entries with distinct salts by `logflux open` and by Python's `cryptography`, in one run.

Python's side is what a reader of the protocol writes first: one derivation and one decryption an
entry, on one core. Usage: python benches/open_beside_python.py LOGFLUX [ENTRIES]
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

SECRET = "correct horse battery staple"


def open_entry(line):
    """Open an entry of mode 1."""
    entry = json.loads(line)
    salt, iv, payload = (base64.b64decode(entry[name]) for name in ("salt", "iv", "payload"))
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=600_000)
    return AESGCM(kdf.derive(SECRET.encode())).decrypt(iv, payload, None).decode()


def run(program, arguments, text):
    """Run the program on this input; give its output."""
    environment = {**os.environ, "LOGFLUX_SECRET": SECRET}
    command = [program, *arguments]
    return subprocess.run(
        command, input=text, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def timed(work):
    """Give the result, and how many seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def main():
    """Seal, open twice, compare, and print the ratio."""
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    lines = [f"line {number}" for number in range(count)]
    print(f"sealing {count} entries, each under a key of its own", file=sys.stderr)
    sealed = run(program, ["seal", "--key-policy", "unique"], "\n".join(lines))
    entries = sealed.splitlines()
    assert len({json.loads(entry)["salt"] for entry in entries}) == count
    print("opening them with logflux, then with Python", file=sys.stderr)
    ours, our_time = timed(lambda: run(program, ["open"], sealed).splitlines())
    theirs, their_time = timed(lambda: [open_entry(entry) for entry in entries])
    assert ours == lines and theirs == lines
    one = timed(lambda: hashlib.pbkdf2_hmac("sha256", SECRET.encode(), b"s" * 32, 600_000))[1]
    print(f"{count} entries with distinct salts")
    print(f"  logflux open, {os.cpu_count()} cores: {our_time:.2f} s")
    print(
        f"  Python's cryptography ({backend.openssl_version_text()}), one core: {their_time:.2f} s"
    )
    print(f"  ratio: {their_time / our_time:.1f}")
    print(f"  beside Python's hashlib ({one * 1e3:.0f} ms a key): {one * count / our_time:.1f}")


if __name__ == "__main__":
    main()
