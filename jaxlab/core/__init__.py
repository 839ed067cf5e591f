"""The language: abstract values, jaxprs, primitives and traces. No MLIR, no client, no operation lives here."""
