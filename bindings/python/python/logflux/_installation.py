"""Notices where another distribution has put its files among ours.

PyPI has a project ``logflux`` that is none of ours. It has a module and a program of the same name.
Whichever of the two is installed last overwrites files of the other, and whichever is uninstalled
takes files of the other with it.
"""

from __future__ import annotations

import os

REMEDY = (
    "another distribution has files of the same names: run"
    " `pip uninstall --yes logflux logflux-core` and then `pip install logflux-core`"
)


def others(folder: str) -> list[str]:
    """The distributions in a folder of packages that are named as this module is."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    ends = (".dist-info", ".egg-info")
    return [name for name in names if name.startswith("logflux-") and name.endswith(ends)]


def check() -> None:
    """Warns of another distribution, and refuses to go on with half of this one."""
    try:
        from . import _core  # noqa: F401, PLC0415 (whether it is there)
    except ImportError as error:
        words = f"logflux-core is not installed as a whole ({error}); {REMEDY}"
        raise ImportError(words, name=__package__) from None
    found = others(os.path.dirname(os.path.dirname(__file__)))
    if found:
        import warnings  # noqa: PLC0415 (only where it is needed)

        name = found[0].rpartition(".")[0]
        words = f"{name} is installed beside logflux-core; {REMEDY}"
        warnings.warn(words, RuntimeWarning, stacklevel=3)


check()
