"""The version of the package: the one place where it is written, and the version of JAX that it is like.

The packaging reads it from here; ``labextension/package.json`` repeats it, and a test holds the two together.

    >>> import jaxlab.version
    >>> jaxlab.version.__version__.count(".")
    2
"""

__version__ = "0.1.0"

# What code that was written for several versions of JAX asks to know which names it has, and how they behave.
__version_info__ = (0, 10, 2)
