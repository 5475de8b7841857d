"""Subjects that are broken on purpose: ``subject.py KEYS FAULT``, a fault each.

Each is the subject on Python's ``cryptography`` with one thing made wrong. KEYS is a folder in
which derived keys are kept for the next run, since a derivation takes longer than all else.
"""

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import random
import signal
import ssl
import sys
import time
import types
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HONEST = Path(__file__).resolve().parents[1] / "python_cryptography" / "subject.py"
SPEC = importlib.util.spec_from_file_location("honest", HONEST)
subject = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(subject)
logflux = subject.logflux
client = subject.logflux_client
FAULTS = {}


def fault(breaks):
    """A function that breaks something, under its name."""
    FAULTS[breaks.__name__.replace("_", "-")] = breaks
    return breaks


def wrap(owner, name):
    """Puts a function in front of another, which it gets as its first argument."""

    def put(around):
        inner = getattr(owner, name)
        setattr(owner, name, lambda *args, **named: around(inner, *args, **named))

    return put


def of_entry(loads=json.loads, dumps=json.dumps):
    """Gives the format another JSON."""
    logflux.json = types.SimpleNamespace(loads=loads, dumps=dumps)


def secret_through(change):
    """Derives from another secret than the one that was given."""
    wrap(logflux.Keys, "key")(
        lambda inner, self, secret, mode, salt: inner(self, change(secret), mode, salt)
    )


# What is refused too little, or read wrongly.


@fault
def honest():
    """Nothing is wrong."""


@fault
def ignores_tag():
    def careless(key):
        def decrypt(iv, data, _):
            counter = Cipher(algorithms.AES(key), modes.CTR(iv + b"\0\0\0\2"))
            return counter.decryptor().update(data[:-16])

        return types.SimpleNamespace(encrypt=AESGCM(key).encrypt, decrypt=decrypt)

    logflux.AESGCM = careless


@fault
def trims_secret():
    secret_through(bytes.strip)


@fault
def normalises_secret():
    secret_through(lambda secret: unicodedata.normalize("NFC", secret.decode()).encode())


@fault
def cuts_secret_at_nul():
    secret_through(lambda secret: secret.split(b"\0")[0])


@fault
def cuts_secret_at_64():
    secret_through(lambda secret: secret[:64])


@fault
def lowers_secret():
    secret_through(lambda secret: secret.decode().lower().encode())


@fault
def takes_empty_secrets():
    logflux.check_secret = lambda secret: None


@fault
def iterates_100000_times():
    logflux.pbkdf2 = lambda secret, salt: hashlib.pbkdf2_hmac("sha256", secret, salt, 100_000)


@fault
def adds_associated_data():
    wrap(logflux, "associated_data")(
        lambda inner, mode, node, *rest: inner(mode, node, *rest) or node.encode()
    )


@fault
def omits_associated_data():
    logflux.associated_data = lambda *_: None


@fault
def ignores_commitment():
    logflux.hmac = types.SimpleNamespace(compare_digest=lambda a, b: True)


@fault
def falls_back_to_mode_1():
    logflux.check_mode = lambda mode: None
    wrap(logflux.Keys, "key")(
        lambda inner, self, secret, mode, salt: inner(
            self, secret, mode if mode in logflux.MODES else 1, salt
        )
    )


@fault
def takes_url_safe_base64():
    wrap(logflux, "unbase64")(
        lambda inner, text, name: inner(text.replace("-", "+").replace("_", "/"), name)
    )


@fault
def takes_base64_without_padding():
    wrap(logflux, "unbase64")(
        lambda inner, text, name: inner(
            text if "=" in text else text + "=" * (-len(text) % 4), name
        )
    )


@fault
def takes_white_space_in_base64():
    wrap(logflux, "unbase64")(lambda inner, text, name: inner("".join(text.split()), name))


@fault
def ignores_trailing_bits():
    def lenient(inner, text, name):
        try:
            data = logflux.base64.b64decode(text.encode("ascii"), validate=True)
        except ValueError:
            return inner(text, name)
        return data if len(logflux.base64.b64encode(data)) == len(text) else inner(text, name)

    wrap(logflux, "unbase64")(lenient)


@fault
def keeps_last_of_two_keys():
    logflux.distinct = dict


@fault
def takes_whole_floats():
    def whole(text):
        number = float(text)
        return int(number) if number.is_integer() else number

    of_entry(loads=lambda text, **named: json.loads(text, parse_float=whole, **named))


@fault
def stops_at_the_first_object():
    def first(text, **named):
        return json.JSONDecoder(**named).raw_decode(text.lstrip(" \t\r\n"))[0]

    of_entry(loads=first)


@fault
def refuses_unknown_fields():
    def strict(inner, data):
        entry = inner(data)
        if set(json.loads(data)) - set(logflux.FIELDS):
            raise logflux.Refused("field", "unknown field")
        return entry

    wrap(logflux, "parse")(strict)


@fault
def replaces_broken_utf8():
    wrap(logflux, "parse")(lambda inner, data: inner(data.decode(errors="replace").encode()))


@fault
def skips_byte_order_mark():
    wrap(logflux, "parse")(lambda inner, data: inner(data.removeprefix(b"\xef\xbb\xbf")))


@fault
def takes_half_surrogates():
    of_entry(dumps=lambda value, **n: json.dumps(value, **n) if "separators" in n else "")


@fault
def escapes_what_is_not_ascii():
    of_entry(dumps=lambda v, **n: json.dumps(v, **{**n, "ensure_ascii": "separators" in n}))


@fault
def writes_spaces():
    def spaced(value, **named):
        if "separators" in named:
            named["separators"] = (", ", ": ")
        return json.dumps(value, **named)

    of_entry(dumps=spaced)


@fault
def cuts_to_microseconds():
    def cut(inner, text):
        seconds, nanoseconds = inner(text)
        return seconds, nanoseconds // 1000 * 1000

    wrap(logflux, "read_timestamp")(cut)


@fault
def takes_leap_seconds():
    wrap(logflux, "read_timestamp")(lambda inner, text: inner(text.replace(":60", ":59")))


@fault
def takes_lower_case_times():
    wrap(logflux, "read_timestamp")(lambda inner, text: inner(text.upper()))


@fault
def counts_node_in_bytes():
    wrap(logflux, "check_node")(
        lambda inner, node: inner(node if len(node.encode("utf-8", "replace")) <= 255 else "")
    )


@fault
def takes_any_level():
    logflux.check_level = lambda level: None


@fault
def replaces_broken_messages():
    def lenient(inner, entry, *rest):
        try:
            return inner(entry, *rest)
        except logflux.Refused as refused:
            if refused.stage == "utf8":
                return "\ufffd".encode()
            raise

    wrap(logflux, "open_entry")(lenient)


@fault
def pads_salts():
    def padded(text):
        return logflux.base64.b64encode(logflux.base64.b64decode(text).ljust(32, b"\0")).decode()

    def lenient(inner, data):
        try:
            return inner(data)
        except logflux.Refused as refused:
            if refused.stage != "size":
                raise
            fields = json.loads(data)
            fields["salt"] = padded(fields["salt"])
            return inner(json.dumps(fields).encode())

    wrap(logflux, "parse")(lenient)
    wrap(logflux, "seal")(
        lambda inner, *args, salt, **named: inner(*args, salt=salt.ljust(32, b"\0"), **named)
    )


# What is sealed wrongly.


def draws(urandom):
    """Draws in another way than from the system."""
    client.os = types.SimpleNamespace(urandom=urandom)
    client.EPOCH = urandom(16)


@fault
def reuses_iv():
    draws(lambda length: bytes(12) if length == 12 else os.urandom(length))


@fault
def counts_ivs():
    count = iter(range(1 << 30))
    draws(lambda n: next(count).to_bytes(12, "big") if n == 12 else os.urandom(n))


@fault
def shares_salt_and_says_unique():
    salt = os.urandom(16)
    draws(lambda length: salt if length == 16 else os.urandom(length))


@fault
def seeds_its_generator():
    draws(random.Random(4711).randbytes)


@fault
def draws_half_a_salt():
    draws(lambda length: os.urandom(8) + bytes(8) if length == 16 else os.urandom(length))


# What is shipped wrongly.

Client = client.Client


@fault
def ships_the_message_beside():
    def both(inner, entry):
        return inner(entry)[:-1] + b',"message":"canary-5f1d0c77e2b94a36"}'

    wrap(logflux, "write")(both)


@fault
def ships_the_secret_in_a_header():
    @wrap(Client, "__init__")
    def secret_in_header(inner, self, *args):
        inner(self, *args)
        self.headers["X-Debug"] = self.secret.decode()


@fault
def puts_the_key_into_the_url():
    @wrap(http.client.HTTPConnection, "request")
    def key_in_url(inner, self, method, path, body, headers):
        inner(self, method, f"{path}?key={headers['Authorization'][7:]}", body, headers)


@fault
def ignores_the_batch_bound():
    client.BATCH = 1_000_000


@fault
def posts_elsewhere():
    @wrap(http.client.HTTPConnection, "request")
    def other_path(inner, self, method, path, body, headers):
        inner(self, method, "/ingest", body, headers)


@fault
def sends_no_bearer():
    @wrap(Client, "__init__")
    def bare_key(inner, self, endpoint, ca_file, api_key, *rest):
        inner(self, endpoint, ca_file, api_key, *rest)
        self.headers["Authorization"] = api_key


@fault
def says_text_plain():
    @wrap(Client, "__init__")
    def plain(inner, self, *args):
        inner(self, *args)
        self.headers["Content-Type"] = "text/plain"


@fault
def never_retries():
    @wrap(Client, "flush")
    def once(inner, self, seconds):
        inner(self, 0)


@fault
def seals_again_on_retry():
    @wrap(Client, "__init__")
    def none_yet(inner, self, *args):
        inner(self, *args)
        self.logged = []

    @wrap(Client, "log")
    def remember(inner, self, message, **about):
        inner(self, message, **about)
        self.logged.append((message, about))

    @wrap(Client, "post")
    def resealed(inner, self, body):
        answer = inner(self, body)
        if answer[0] not in (200, 400, 413):
            logged, self.logged, self.entries = self.logged, [], []
            for message, about in logged:
                self.log(message, **about)
        return answer


@fault
def ignores_retry_after():
    client.retry_after = lambda value: 0


@fault
def retries_what_is_refused():
    client.AGAIN.add(400)


@fault
def drops_what_waits_for_a_key():
    @wrap(Client, "post")
    def dropped(inner, self, body):
        answer = inner(self, body)
        if answer[0] == 401:
            self.entries.clear()
        return answer


@fault
def drops_a_batch_for_one_entry():
    @wrap(Client, "post")
    def dropped(inner, self, body):
        answer = inner(self, body)
        if answer[0] in (400, 413) and answer[2]:
            self.entries.clear()
        return answer


@fault
def follows_redirects():
    @wrap(http.client.HTTPConnection, "getresponse")
    def followed(inner, self):
        answer = inner(self)
        url = urlsplit(answer.headers.get("Location", ""))
        if url.netloc:
            kind = getattr(http.client, f"{url.scheme.upper()}Connection")
            trust = {"context": ssl._create_unverified_context()} if url.scheme == "https" else {}
            other = kind(url.netloc, **trust)
            other.request("POST", url.path, *self.sent)
            return inner(other)
        return answer

    @wrap(http.client.HTTPConnection, "request")
    def remembered(inner, self, method, path, body, headers):
        self.sent = body, headers
        inner(self, method, path, body, headers)


@fault
def checks_no_certificate():
    ssl.create_default_context = lambda **_: ssl._create_unverified_context()


@fault
def checks_no_host():
    @wrap(ssl, "create_default_context")
    def any_host(inner, **named):
        context = inner(**named)
        context.check_hostname = False
        return context


@fault
def speaks_plain_http():
    @wrap(Client, "__init__")
    def any_scheme(inner, self, endpoint, *rest):
        inner(self, endpoint.replace("http:", "https:"), *rest)
        if endpoint.startswith("http://"):
            netloc = urlsplit(endpoint).netloc
            self.connect = lambda: http.client.HTTPConnection(netloc, timeout=10)


@fault
def flush_always_fails():
    @wrap(Client, "flush")
    def failing(inner, self, seconds):
        inner(self, seconds)
        raise logflux.Refused(None, "this flush\x1b[31m never\nsucceeds")


@fault
def flush_always_succeeds():
    @wrap(Client, "flush")
    def careless(inner, self, seconds):
        with contextlib.suppress(logflux.Refused):
            inner(self, seconds)


@fault
def flush_before_delivery():
    Client.flush = lambda self, seconds: None


@fault
def believes_the_body():
    @wrap(Client, "post")
    def believing(inner, self, body):
        status, wait, api = inner(self, body)
        return (200 if api and api["status"] == "success" else status), wait, api


@fault
def takes_every_200():
    client.in_the_apis_form = lambda body: {"status": "success"}


@fault
def drops_on_unknown_statuses():
    @wrap(Client, "post")
    def dropped(inner, self, body):
        answer = inner(self, body)
        if answer[0] in (204, 418, 511):
            self.entries.clear()
        return answer


@fault
def ships_text_as_payload():
    def text(inner, entry):
        fields = json.loads(inner(entry))
        message = b"INFO 10.0.0.7 the user 4711 has logged in, and all is well"
        fields["payload"] = logflux.base64.b64encode(message).decode()
        return json.dumps(fields, separators=(",", ":")).encode()

    wrap(logflux, "write")(text)


@fault
def ships_one_by_one():
    """Nothing is wrong: a request may have a single entry."""
    client.BATCH = 1


@fault
def ships_one_by_one_and_once():
    client.BATCH = 1

    @wrap(Client, "post")
    def forgotten(inner, self, body):
        answer = inner(self, body)
        if answer[0] != 200:
            del self.entries[:1]
        return answer


# What is said wrongly.


@fault
def names_another_stage():
    def renamed(inner, *args):
        try:
            return inner(*args)
        except logflux.Refused as refused:
            stage = "json" if refused.stage == "authentication" else refused.stage
            raise logflux.Refused(stage, "the tag is wrong") from None

    wrap(logflux, "open_entry")(renamed)


@fault
def refuses_to_seal():
    def refused(*_, **named):
        raise logflux.Refused(None, "no keys today")

    client.seal = refused


@fault
def opens_nothing():
    def refused(*_):
        raise logflux.Refused("authentication", "no secret will do")

    logflux.open_entry = refused


# What no subject may do.


def before_answer(act):
    """Does something before an answer is written."""
    subject.print = lambda text, **named: (act(text), print(text, **named))


def at(operation, act):
    """Does something else when an operation is asked."""
    setattr(subject.Subject, operation, lambda self, request: act())


@fault
def answers_twice():
    before_answer(lambda text: print(text, flush=True))


@fault
def logs_to_stdout():
    before_answer(lambda _: print("DEBUG: an answer follows", flush=True))


@fault
def answers_ok_and_nothing():
    at("open", dict)


@fault
def answers_late():
    at("open", lambda: time.sleep(30))


@fault
def hangs_at_ship():
    at("ship", lambda: time.sleep(600))


@fault
def dies_at_ship():
    at("ship", lambda: os._exit(7))


@fault
def dies_at_a_long_secret():
    @wrap(subject.Subject, "derive")
    def dying(inner, self, request):
        if len(request["secret_hex"]) == 2 * 10_000:
            os.kill(os.getpid(), signal.SIGSEGV)
        return inner(self, request)


@fault
def floods_stdout():
    def flood():
        while True:
            print('{"id":0}')

    at("open", flood)


@fault
def floods_stderr():
    def flood():
        while True:
            print("x" * 1000, file=sys.stderr)

    at("open", flood)


# What is not wrong, but less or slower than others.


def hello_with(**other):
    """Says something else of itself."""
    said = {**subject.hello(None), **other}
    subject.hello = lambda _: said


@fault
def derives_slowly():
    """Nothing is wrong: a key for each entry, and each takes its time."""
    hello_with(modes=[1])

    @wrap(logflux.Keys, "_derived")
    def slow(inner, self, *args):
        time.sleep(0.06)
        return inner(self, *args)


@fault
def reads_only():
    """Nothing is wrong: what reads logs need not write them."""
    hello_with(operations=["open", "parse"])


@fault
def sends_only():
    """Nothing is wrong: what writes logs need not read them."""
    hello_with(operations=["seal", "ship"])


def keep_keys(folder):
    """Remembers what was derived in files: the next subject derives it no more."""

    def kept(inner, self, kdf, secret, salt):
        name = hashlib.sha256(repr((kdf.__name__, secret, salt)).encode()).hexdigest()
        file = Path(folder) / name
        if not file.exists():
            draft = file.with_suffix(f".{os.getpid()}")
            draft.write_bytes(inner(self, kdf, secret, salt))
            draft.replace(file)
        return file.read_bytes()

    wrap(logflux.Keys, "_derived")(kept)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(FAULTS))
    else:
        keep_keys(sys.argv[1])
        FAULTS[sys.argv[2]]()
        subject.main()
