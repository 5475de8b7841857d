"""Checks the vectors, seals and opens with an implementation that shares no code with LogFlux.

    independent.py vectors FOLDER          every test of every file; exit status 1 if one differs
    independent.py seal --node N ...       lines on standard input become entries, one a line
    independent.py open                    entries, one a line, become messages, one a line

``seal`` and ``open`` take the secret from LOGFLUX_SECRET. Sealing in mode 1 is the example of the
published description, word for word in what it does; opening is that example turned round.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import logflux_entry as logflux


def expand(test, name, kind):
    """The bytes of a test's input, which may be given in runs."""
    runs = test.get(f"{name}_runs")
    if runs is not None:
        return b"".join(base64.b64decode(run["b64"]) * run["times"] for run in runs)
    text = test[f"{name}_{kind}"]
    return bytes.fromhex(text) if kind == "hex" else base64.b64decode(text)


def perform(operation, secret, test, keys):
    """Does what a test asks, and returns the outcome in the words of ``expect``."""
    if operation == "parse":
        logflux.parse(expand(test, "entry", "b64"))
        return {}
    if operation == "open":
        message = logflux.open_entry(logflux.parse(expand(test, "entry", "b64")), secret, keys)
        return {"message_hex": message.hex()}
    mode, salt = test["mode"], bytes.fromhex(test["salt_hex"])
    if operation == "derive":
        logflux.check_secret(secret)
        return {"key_hex": keys.key(secret, mode, salt)[0].hex()}
    entry = logflux.seal(
        expand(test, "message", "hex"),
        secret,
        node=test["node"],
        level=test["loglevel"],
        timestamp=test["timestamp"],
        mode=mode,
        iv=bytes.fromhex(test["iv_hex"]),
        salt=salt,
        keys=keys,
    )
    written = logflux.write(entry)
    return {
        "entry_b64": base64.b64encode(written).decode(),
        "entry_sha256_hex": hashlib.sha256(written).hexdigest(),
    }


def judge(expect, outcome, refused):
    """Whether a test came out as it must."""
    if refused:
        stage = expect.get("stage")
        return expect["result"] != "valid" and stage in (None, refused.stage)
    expected = {k: v for k, v in expect.items() if k not in ("result", "stage")}
    return expect["result"] != "invalid" and all(outcome[k] == v for k, v in expected.items())


def run_group(name, group):
    """The lines about a group's tests that differ, and how many were accepted and refused."""
    keys = logflux.Keys()
    secret = bytes.fromhex(group.get("secret_hex", ""))
    differ, counts = [], {"accepted": 0, "refused": 0}
    for test in group["tests"]:
        outcome = refused = None
        try:
            outcome = perform(group["operation"], secret, test, keys)
            counts["accepted"] += 1
        except logflux.Refused as error:
            refused = error
            counts["refused"] += 1
        if not judge(test["expect"], outcome, refused):
            got = f"refused, {refused}" if refused else outcome
            differ.append(f"{name}: {test['id']}: expected {test['expect']}, got {got}")
    return differ, counts


def check_vectors(folder):
    """Runs every test of a folder of vectors. The derivations release Python's lock."""
    work = []
    for path in sorted(Path(folder).glob("*.json")):
        file = json.loads(path.read_bytes())
        if path.name != "schema.json":
            work.extend((path.name, group) for group in file["groups"])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda task: run_group(*task), work))
    differ = [line for lines, _ in results for line in lines]
    accepted = sum(counts["accepted"] for _, counts in results)
    refused = sum(counts["refused"] for _, counts in results)
    print(f"{accepted} accepted, {refused} refused, {len(differ)} differ from the vectors")
    for line in differ:
        print(line, file=sys.stderr)
    return 1 if differ or not accepted or not refused else 0


def secret_of_environment():
    """The secret's bytes, exactly as they are."""
    secret = os.environb.get(b"LOGFLUX_SECRET")
    if secret is None:
        sys.exit("LOGFLUX_SECRET is not set")
    return secret


def lines():
    """The lines of standard input, which end at line feeds alone."""
    text = sys.stdin.buffer.read()
    return text.removesuffix(b"\n").split(b"\n") if text else []


def seal_lines(args):
    """Seals every line with a salt and an iv of its own."""
    secret = secret_of_environment()
    for line in lines():
        entry = logflux.seal(
            line,
            secret,
            node=args.node,
            level=args.level,
            timestamp=args.timestamp,
            mode=args.mode,
            iv=os.urandom(12),
            salt=os.urandom(32),
            keys=logflux.Keys(),
        )
        sys.stdout.buffer.write(logflux.write(entry) + b"\n")
    return 0


def open_lines():
    """Opens every line."""
    secret = secret_of_environment()
    keys = logflux.Keys()
    for line in lines():
        message = logflux.open_entry(logflux.parse(line), secret, keys)
        sys.stdout.buffer.write(message + b"\n")
    return 0


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors").add_argument("folder")
    seal = commands.add_parser("seal")
    seal.add_argument("--node", required=True)
    seal.add_argument("--level", type=int, default=7)
    seal.add_argument("--timestamp", required=True)
    seal.add_argument("--mode", type=int, default=1)
    commands.add_parser("open")
    args = parser.parse_args()
    if args.command == "vectors":
        return check_vectors(args.folder)
    try:
        return seal_lines(args) if args.command == "seal" else open_lines()
    except logflux.Refused as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
