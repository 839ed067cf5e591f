"""Everything that touches jaxlib's client: devices, arrays, compiling and running. `native` comes first."""
