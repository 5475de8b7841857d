"""A subject on Python's ``cryptography``: the format is ``tests/python/logflux_entry.py``."""

import base64
import json
import os
import sys
from pathlib import Path

import cryptography

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import logflux_entry as logflux
from shipment import Shipment


def hello(_):
    """What this is."""
    return {
        "name": "Python cryptography",
        "version": cryptography.__version__,
        "language": "Python",
        "operations": ["open", "parse", "seal", "derive", "ship"],
        "modes": logflux.MODES,
        "key_policy": "unique",
    }


class Subject:
    """Answers requests; keys and shipments last between them."""

    def __init__(self):
        self.keys = logflux.Keys()
        self.shipment = None
        self.epoch = os.urandom(16)

    def open(self, request):
        """Opens an entry."""
        entry = logflux.parse(base64.b64decode(request["entry_b64"]))
        secret = bytes.fromhex(request["secret_hex"])
        return {"message_hex": logflux.open_entry(entry, secret, self.keys).hex()}

    def parse(self, request):
        """Reads an entry."""
        logflux.parse(base64.b64decode(request["entry_b64"]))
        return {}

    def derive(self, request):
        """Derives a key."""
        secret, salt = (bytes.fromhex(request[name]) for name in ("secret_hex", "salt_hex"))
        logflux.check_secret(secret)
        return {"key_hex": self.keys.key(secret, request["mode"], salt)[0].hex()}

    def seal(self, request):
        """Seals a message, with the salt and iv that are given or with fresh ones."""
        fresh = (self.epoch if request["mode"] == 128 else os.urandom(16)) + os.urandom(16)
        entry = logflux.seal(
            bytes.fromhex(request["message_hex"]),
            bytes.fromhex(request["secret_hex"]),
            node=request["node"],
            level=request["loglevel"],
            timestamp=request["timestamp"],
            mode=request["mode"],
            salt=bytes.fromhex(request.get("salt_hex", fresh.hex())),
            iv=bytes.fromhex(request.get("iv_hex", os.urandom(12).hex())),
            keys=self.keys,
        )
        return {"entry_b64": base64.b64encode(logflux.write(entry)).decode()}

    def ship(self, request):
        """Seals messages that the next flush sends."""
        self.shipment = Shipment(request, self.keys)
        return {}

    def flush(self, request):
        """Sends them."""
        shipment, self.shipment = self.shipment, None
        if shipment:
            shipment.flush(request["timeout_ms"] / 1000)
        return {}


def main():
    """Answers every line."""
    subject = Subject()
    for line in sys.stdin:
        request = json.loads(line)
        operation = {"hello": hello, "stop": lambda _: {}}.get(request["op"])
        operation = operation or getattr(subject, request["op"])
        try:
            answer = {"ok": operation(request)}
        except logflux.Refused as refused:
            answer = {"error": {"stage": refused.stage, "message": str(refused)}}
        print(json.dumps({"id": request["id"], **answer}), flush=True)
        if request["op"] == "stop":
            return


if __name__ == "__main__":
    main()
