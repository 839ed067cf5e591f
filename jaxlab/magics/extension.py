"""Loading the magics into a shell, and taking them out again."""

from __future__ import annotations

from typing import Any

from jaxlab.magics.commands import JaxlabMagics

_loaded: dict[int, tuple[Any, JaxlabMagics]] = {}


def load_ipython_extension(shell: Any) -> None:
    """Register the magics and their completion in a shell; loading twice does nothing more."""
    if id(shell) in _loaded:
        return
    magics = JaxlabMagics(shell)
    shell.register_magics(magics)
    magics.attach()
    _loaded[id(shell)] = (shell, magics)


def unload_ipython_extension(shell: Any) -> None:
    """Take magics, completion and listeners out of a shell."""
    entry = _loaded.pop(id(shell), None)
    if entry is None:
        return
    magics = entry[1]
    magics.detach()
    for kind, names in JaxlabMagics.magics.items():
        registered = shell.magics_manager.magics[kind]
        for name in names:
            if getattr(registered.get(name), "__self__", None) is magics:
                del registered[name]
    shell.magics_manager.registry.pop("JaxlabMagics", None)
