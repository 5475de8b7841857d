"""Opens entries with distinct salts by `logflux open` and by Python's `cryptography`, in one run.

Python's side is what a reader of the protocol writes first: one derivation and one decryption an
entry, on one core. The time depends on the OpenSSL that it is built with, so each PYTHON named
opens them too. Usage: python benches/open_beside_python.py LOGFLUX [ENTRIES [PYTHON...]]
"""

import base64
import json
import os
import subprocess
import sys
import time

import cryptography
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


def run(command, text):
    """Run the command on this input; give its output."""
    environment = {**os.environ, "LOGFLUX_SECRET": SECRET}
    return subprocess.run(
        command, input=text, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def timed(work):
    """Give the result, and how many seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def open_all():
    """Open the entries on stdin; print what did it, the seconds it took, and the messages."""
    entries = sys.stdin.read().splitlines()
    messages, seconds = timed(lambda: [open_entry(entry) for entry in entries])
    name = f"cryptography {cryptography.__version__} ({backend.openssl_version_text()})"
    json.dump({"name": name, "seconds": seconds, "messages": messages}, sys.stdout)


def main():
    """Seal, open by each, compare, and print the ratios."""
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    pythons = sys.argv[3:] or [sys.executable]
    lines = [f"line {number}" for number in range(count)]
    print(f"sealing {count} entries, each under a key of its own", file=sys.stderr)
    sealed = run([program, "seal", "--key-policy", "unique"], "\n".join(lines))
    entries = sealed.splitlines()
    assert len({json.loads(entry)["salt"] for entry in entries}) == count
    print("opening them with logflux", file=sys.stderr)
    ours, our_time = timed(lambda: run([program, "open"], sealed).splitlines())
    assert ours == lines
    print(f"{count} entries with distinct salts")
    print(f"  logflux open, {os.cpu_count()} cores: {our_time:.2f} s")
    for python in pythons:
        print(f"opening them with {python}", file=sys.stderr)
        theirs = json.loads(run([python, __file__, "--open"], sealed))
        assert theirs["messages"] == lines
        seconds = theirs["seconds"]
        print(
            f"  Python's {theirs['name']}, one core: {seconds:.2f} s,"
            f" {seconds / our_time:.1f} times as long"
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["--open"]:
        open_all()
    else:
        main()
