"""A subject on Python's ``cryptography``: the implementation is in ``tests/python``."""

import base64
import json
import sys
from pathlib import Path

import cryptography

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import logflux_client
import logflux_entry as logflux


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
    """Answers requests; keys and a client last between them."""

    def __init__(self):
        self.keys = logflux.Keys()
        self.client = None

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
        seal, given = logflux_client.seal, {}
        if "salt_hex" in request:
            seal = logflux.seal
            given = {name: bytes.fromhex(request[f"{name}_hex"]) for name in ("salt", "iv")}
        entry = seal(
            bytes.fromhex(request["message_hex"]),
            bytes.fromhex(request["secret_hex"]),
            node=request["node"],
            level=request["loglevel"],
            timestamp=request["timestamp"],
            mode=request["mode"],
            keys=self.keys,
            **given,
        )
        return {"entry_b64": base64.b64encode(logflux.write(entry)).decode()}

    def ship(self, request):
        """Logs messages."""
        secret = bytes.fromhex(request["secret_hex"])
        self.client = logflux_client.Client(
            request["endpoint"], request["ca_file"], request["api_key"], secret, self.keys
        )
        for message in request["messages"]:
            text = bytes.fromhex(message["message_hex"])
            about = {"node": request["node"], "level": message["loglevel"], "mode": request["mode"]}
            self.client.log(text, **about)
        return {}

    def flush(self, request):
        """Sends them."""
        client, self.client = self.client, None
        if client:
            client.flush(request["timeout_ms"] / 1000)
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
