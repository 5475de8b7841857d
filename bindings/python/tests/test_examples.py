"""Every Python example of the documentation runs, against a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import ROOT, Run, Server

PAGES = [ROOT / "README.md", ROOT / "docs/python.md", ROOT / "bindings/python/README.md"]


def examples() -> list[object]:
    found: list[object] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            line = text[: block.start()].count("\n") + 2
            name = Path(page).relative_to(ROOT)
            found.append(pytest.param(block[1], id=f"{name}:{line}"))
    return found


@pytest.mark.parametrize("example", examples())
def test_example(example: str, run: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("correct horse battery staple\n", encoding="utf-8")
    done = run(example, "-X", "dev", "-W", "error")
    assert done.returncode == 0, done.stderr
    assert "logflux: messages dropped" not in done.stderr


def test_there_are_examples() -> None:
    for page in PAGES:
        assert "```python" in page.read_text(encoding="utf-8")
