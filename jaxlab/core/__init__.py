"""The language: abstract values, jaxprs, primitives and traces. No MLIR, client or operation lives here."""
