"""A client that runs takes another secret, API key or CA file."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

import logflux
from support import ENOUGH, PROGRAM, SECRET, Server, clean_environment, wait_for

#: What is refused waits for so long, unless something is rotated.
PATIENT = {"initial_delay": 3600.0, "max_delay": 3600.0, "retry_deadline": 3600.0}
NEW_SECRET = "a secret of another year"


def keys(server: Server, *args: str) -> str:
    call: list[str | Path] = [PROGRAM, "keys", *args, "--data", server.data]
    done = subprocess.run(call, check=True, capture_output=True, text=True, env=clean_environment())
    return done.stdout.strip()


def revoked_key(server: Server) -> str:
    """A key that the server takes no more."""
    before = set(keys(server, "list").split())
    key = keys(server, "create", "--scope", "ingest,read")
    new = [word for word in keys(server, "list").split() if word not in before]
    keys(server, "revoke", next(word for word in new if word.startswith("key_")))
    # The server knows of it within a second.
    wait_for(lambda: not takes(server, key))
    return key


def takes(server: Server, key: str) -> bool:
    call: list[str | Path] = [PROGRAM, "query", "--sealed", "--limit", "1"]
    variables = {**server.environment, "LOGFLUX_API_KEY": key}
    done = subprocess.run(call, check=False, capture_output=True, text=True, env=variables)
    assert done.returncode == 0 or "API key" in done.stderr, done.stderr
    return done.returncode == 0


def is_refused(client: logflux.Client) -> bool:
    return "replace the API key" in (client.stats().last_error or "")


@pytest.mark.parametrize("spooled", [False, True])
def test_another_key_delivers_what_waits(
    server: Server, node: str, tmp_path: Path, spooled: bool
) -> None:
    spool = tmp_path / "spool" if spooled else None
    given = {"ca_file": server.data / "ca.pem", "mode": 128, "spool_dir": spool, **PATIENT}
    key = revoked_key(server)
    client = logflux.Client(server.url, node, key, SECRET, **given)  # type: ignore[arg-type]
    client.info("one")
    wait_for(lambda: is_refused(client), client.stats)
    with pytest.raises(logflux.SettingsError, match="api_key") as caught:
        client.rotate(api_key="hunter2", secret=NEW_SECRET)
    assert "hunter2" not in repr(caught.value)
    with pytest.raises(logflux.SettingsError, match="ca_file"):
        client.rotate(api_key=server.key, ca_file="/no/such/file")
    with pytest.raises(TypeError, match="give secret, api_key or ca_file"):
        client.rotate()
    client.rotate(api_key=server.key, ca_file=server.data / "ca.pem")
    client.info("two")
    assert client.close(ENOUGH)
    assert client.stats().dropped == {}
    assert server.messages(node) == ["one", "two"]


def test_a_keyring_opens_what_both_secrets_sealed(server: Server, node: str) -> None:
    client = server.client(node)
    client.info("old")
    assert client.flush(ENOUGH)
    client.rotate(secret=logflux.Secret(NEW_SECRET))
    client.info("new")
    assert client.close(ENOUGH)
    query: list[str | Path] = [PROGRAM, "query", "--sealed", "--order", "asc", "--node", node]
    done = subprocess.run(query, env=server.environment, check=True, capture_output=True)
    entries = done.stdout.splitlines()
    assert logflux.open_many(entries, logflux.Keyring(NEW_SECRET, SECRET)) == ["old", "new"]
    by_one = logflux.open_many(entries, NEW_SECRET, return_exceptions=True)
    assert isinstance(by_one[0], logflux.OpenError)
    assert by_one[1] == "new"


def test_the_client_of_the_process_rotates_in_a_callback_and_after_a_fork(
    server: Server, node: str
) -> None:
    with pytest.raises(logflux.LogfluxError, match="not initialised"):
        logflux.rotate(secret=SECRET)
    rotated = threading.Event()

    def on_notice(_sentence: str) -> None:
        logflux.rotate(api_key=server.key)
        rotated.set()

    given = {"ca_file": server.data / "ca.pem", "mode": 128, "on_notice": on_notice, **PATIENT}
    logflux.init(server.url, node, revoked_key(server), SECRET, **given)  # type: ignore[arg-type]
    try:
        logflux.info("parent")
        assert rotated.wait(ENOUGH)
        assert logflux.flush(ENOUGH)
        child = os.fork()
        if child == 0:
            logflux.info("child")
            os._exit(0 if logflux.flush(ENOUGH) else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        logflux.close()
    assert server.messages(node) == ["parent", "child"]


def test_a_secret_s_command_may_run_for_as_long_as_the_variable_says(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        if name.startswith("LOGFLUX_"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOGFLUX_SECRET")
    monkeypatch.setenv("LOGFLUX_SECRET_COMMAND", "sleep 60")
    monkeypatch.setenv("LOGFLUX_SECRET_COMMAND_TIMEOUT", "1s")
    for fetch in (logflux.Secret.from_env, logflux.Client.from_env):
        with pytest.raises(logflux.SecretError, match=r"LOGFLUX_SECRET_COMMAND.* within 1s"):
            fetch()
    monkeypatch.setenv("LOGFLUX_SECRET_COMMAND_TIMEOUT", "0s")
    with pytest.raises(logflux.SettingsError, match="LOGFLUX_SECRET_COMMAND_TIMEOUT: must be"):
        logflux.Secret.from_env()


def test_a_key_that_is_given_comes_before_its_variables(
    server: Server, node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("lf_" + "a" * 32)
    for name, value in server.environment.items():
        if name.startswith("LOGFLUX_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOGFLUX_API_KEY_FILE", str(file))
    with pytest.raises(logflux.SettingsError, match="LOGFLUX_API_KEY_FILE: must not be set"):
        logflux.Client.from_env()
    client = logflux.Client.from_env(api_key=server.key, node=node, mode=128)
    client.info("given")
    assert client.close(ENOUGH)
    monkeypatch.delenv("LOGFLUX_API_KEY")
    file.write_text(server.key + "\n")
    client = logflux.Client.from_env(node=node, mode=128)
    client.info("from a file")
    assert client.close(ENOUGH)
    assert server.messages(node) == ["given", "from a file"]
