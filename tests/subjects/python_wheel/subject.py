"""The subject of the Python package: what ``logflux certify`` starts for the wheel."""

import base64
import json
import sys

import logflux
from logflux import hazmat


def hello(_):
    """What this is."""
    return {
        "name": "logflux (Python package)",
        "version": logflux.__version__,
        "language": "Python",
        "operations": ["open", "parse", "seal", "derive", "ship"],
        "modes": [1, 2, 3, 4, 128],
        "key_policy": "unique",
    }


def secret(request):
    """The secret, which may be none."""
    return logflux.Secret(bytes.fromhex(request["secret_hex"]).decode())


def entry(request):
    """The entry's bytes."""
    return base64.b64decode(request["entry_b64"])


class Subject:
    """Answers requests; openers, sealers and a client last between them."""

    def __init__(self):
        self.known = {}
        self.client = None

    def kept(self, kind, request, make):
        """What there is for this secret, or a new one."""
        name = kind, request["secret_hex"]
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    def open(self, request):
        """Opens an entry."""
        opener = self.kept("opener", request, lambda: logflux.Opener(secret(request)))
        return {"message_hex": opener.open(entry(request)).encode().hex()}

    def parse(self, request):
        """Reads an entry."""
        logflux.Entry.parse(entry(request))
        return {}

    def derive(self, request):
        """Derives a key."""
        salt = bytes.fromhex(request["salt_hex"])
        return {"key_hex": hazmat.derive_key(secret(request), salt, mode=request["mode"]).hex()}

    def seal(self, request):
        """Seals a message, with the salt and iv that are given or with fresh ones."""
        message, mode = bytes.fromhex(request["message_hex"]), request["mode"]
        what = {"level": request["loglevel"], "timestamp": request["timestamp"]}
        node = request["node"]
        if "salt_hex" in request:
            salt, iv = (bytes.fromhex(request[name]) for name in ("salt_hex", "iv_hex"))
            sealed = hazmat.seal_with_salt_and_iv(
                message, secret(request), salt=salt, iv=iv, node=node, mode=mode, **what
            )
        else:
            policy = logflux.KeyPolicy.unique()
            sealer = self.kept(
                f"sealer {mode} {node}",
                request,
                lambda: logflux.Sealer(secret(request), node=node, mode=mode, key_policy=policy),
            )
            sealed = sealer.seal(message, **what)
        return {"entry_b64": base64.b64encode(sealed.to_json().encode()).decode()}

    def ship(self, request):
        """Logs messages."""
        hints = request["hints"]
        self.client = logflux.Client(
            server_url=request["endpoint"],
            api_key=request["api_key"],
            secret=secret(request),
            node=request["node"],
            ca_file=request["ca_file"],
            mode=request["mode"],
            flush_interval=hints["flush_interval_ms"] / 1000,
            initial_delay=hints["initial_delay_ms"] / 1000,
            max_delay=hints["max_delay_ms"] / 1000,
        )
        for message in request["messages"]:
            text = bytes.fromhex(message["message_hex"]).decode()
            self.client.log(message["loglevel"], text)
        return {}

    def flush(self, request):
        """Waits until they are delivered."""
        client, self.client = self.client, None
        if client is None:
            raise logflux.LogfluxError("nothing was shipped")
        delivered = client.flush(request["timeout_ms"] / 1000)
        dropped = sum(client.stats().dropped.values())
        client.close(0.0)
        if not delivered or dropped:
            raise logflux.LogfluxError("not everything was delivered")
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
        except logflux.LogfluxError as error:
            answer = {"error": {"stage": error.stage, "message": str(error)}}
        print(json.dumps({"id": request["id"], **answer}), flush=True)
        if request["op"] == "stop":
            return


if __name__ == "__main__":
    main()
