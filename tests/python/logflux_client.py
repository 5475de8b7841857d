"""Shipping entries on Python's standard library: the client beside ``logflux_entry``."""

import http.client
import json
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
        """Sends everything, or gives up in time. Only the API itself can refuse an entry."""
        until, pause, size, refused = time.monotonic() + seconds, 0.1, BATCH, 0
        while self.entries:
            batch = self.entries[:size]
            status, wait, api = self.post(b"[" + b",".join(map(logflux.write, batch)) + b"]")
            final = status not in AGAIN and status in (400, 413)
            if final and len(batch) > 1 and (api or status == 413):
                size = len(batch) // 2
                continue
            if api and (status == 200 or final):
                refused += len(api.get("failures", [])) if status == 200 else 1
                del self.entries[:size]
                size, pause = BATCH, 0.1
                continue
            wait, pause = max(wait, pause), pause * 2
            if time.monotonic() + wait > until:
                raise logflux.Refused(None, f"not delivered in time: {status}")
            time.sleep(wait)
        if refused:
            raise logflux.Refused(None, f"{refused} entries were refused")

    def post(self, body):
        """One attempt: the status, how long to wait before the next, and what the API says."""
        connection = self.connect()
        try:
            connection.request("POST", "/v1/ingest", body, self.headers)
            answer = connection.getresponse()
            api = in_the_apis_form(answer.read())
            return answer.status, retry_after(answer.headers.get("Retry-After")), api
        except (OSError, http.client.HTTPException):
            return None, 0, None
        finally:
            connection.close()


def in_the_apis_form(body):
    """The answer of an ingest API; none where it is a proxy's or a login page."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and "status" in answer else None


def retry_after(value):
    """Seconds to wait, of a number or a date, up to 5 min."""
    try:
        if not value or value.isdigit():
            return min(int(value or 0), 300)
        return min((parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds(), 300)
    except (TypeError, ValueError):
        return 0
