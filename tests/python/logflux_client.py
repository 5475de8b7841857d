"""Shipping entries on Python's standard library: the client beside ``logflux_entry``."""

import http.client
import os
import ssl
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import logflux_entry as logflux

AGAIN = {408, 429, 500, 502, 503, 504, 507}
BATCH = 100


EPOCH = os.urandom(16)  # half of the salt of mode 128, the same in every entry of this process


def seal(message, secret, *, mode, **about):
    """Seals a message with a fresh salt and iv."""
    salt = (EPOCH if mode == 128 else os.urandom(16)) + os.urandom(16)
    return logflux.seal(message, secret, mode=mode, salt=salt, iv=os.urandom(12), **about)


class Client:
    """Seals what is logged, and sends it when it is flushed."""

    def __init__(self, endpoint, ca_file, api_key, secret, keys):
        url = urlsplit(endpoint)
        if url.scheme != "https":
            raise logflux.Refused(None, "only https:// is safe")
        trust = ssl.create_default_context(cafile=ca_file)
        self.connect = lambda: http.client.HTTPSConnection(url.netloc, context=trust, timeout=10)
        self.headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
        }
        self.secret, self.keys = secret, keys
        self.entries = []

    def log(self, message, **about):
        """Seals a message, of now."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.entries.append(seal(message, self.secret, timestamp=now, keys=self.keys, **about))

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
