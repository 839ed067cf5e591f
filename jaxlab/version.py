"""The version of the package: the one place where it is written.

The packaging reads it from here; ``labextension/package.json`` repeats it, and a test holds the two together.

    >>> import jaxlab.version
    >>> jaxlab.version.__version__.count(".")
    2
"""

__version__ = "0.1.0"
