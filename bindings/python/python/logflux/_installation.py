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

try:
    from . import _core  # noqa: F401 (whether it is there)
except ImportError as error:
    raise ImportError(
        f"logflux-core is not installed as a whole ({error}); {REMEDY}", name=__package__
    ) from None


def others(folder: str) -> list[str]:
    """The distributions in a folder of packages that are named as this module is."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    ends = (".dist-info", ".egg-info")
    return [name for name in names if name.startswith("logflux-") and name.endswith(ends)]


_found = others(os.path.dirname(os.path.dirname(__file__)))
if _found:
    import warnings

    _name = _found[0].rpartition(".")[0]
    warnings.warn(
        f"{_name} is installed beside logflux-core; {REMEDY}", RuntimeWarning, stacklevel=2
    )
