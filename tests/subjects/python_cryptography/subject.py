"""A subject on Python's ``cryptography``: the format is ``tests/python/logflux_entry.py``."""

import base64
import http.client
import json
import os
import ssl
import sys
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import cryptography

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
import logflux_entry as logflux  # noqa: E402

AGAIN = {408, 429, 500, 502, 503, 504, 507}
BATCH = 100


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


class Shipment:
    """Entries on their way to an endpoint."""

    def __init__(self, request, keys):
        url = urlsplit(request["endpoint"])
        if url.scheme != "https":
            raise logflux.Refused(None, "only https:// is safe")
        trust = ssl.create_default_context(cafile=request["ca_file"])
        self.connect = lambda: http.client.HTTPSConnection(url.netloc, context=trust, timeout=10)
        self.headers = {
            "Authorization": f"Bearer {request['api_key']}",
            "Content-Type": "application/json",
        }
        epoch, mode = os.urandom(16), request["mode"]
        self.entries = [
            logflux.seal(
                bytes.fromhex(message["message_hex"]),
                bytes.fromhex(request["secret_hex"]),
                node=request["node"],
                level=message["loglevel"],
                timestamp=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                mode=mode,
                iv=os.urandom(12),
                salt=epoch + os.urandom(16) if mode == 128 else os.urandom(32),
                keys=keys,
            )
            for message in request["messages"]
        ]

    def flush(self, seconds):
        """Sends everything, or gives up in time."""
        until, pause = time.monotonic() + seconds, 0.1
        while self.entries:
            batch = b"[" + b",".join(map(logflux.write, self.entries[:BATCH])) + b"]"
            status, wait = self.post(batch)
            if status and 300 <= status < 500 and status not in AGAIN:
                raise logflux.Refused(None, f"the server answered {status}")
            if status == 200:
                del self.entries[:BATCH]
                continue
            wait, pause = max(wait, pause), pause * 2
            if time.monotonic() + wait > until:
                raise logflux.Refused(None, "the server took it not in time")
            time.sleep(wait)

    def post(self, body):
        """One attempt: the status, if any, and how long to wait before the next."""
        connection = self.connect()
        try:
            connection.request("POST", "/v1/ingest", body, self.headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, retry_after(answer.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException):
            return None, 0
        finally:
            connection.close()


def retry_after(value):
    """Seconds to wait, of a number or a date, up to 5 min."""
    try:
        if not value or value.isdigit():
            return min(int(value or 0), 300)
        return min((parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds(), 300)
    except (TypeError, ValueError):
        return 0


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
