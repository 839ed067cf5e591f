"""Writing StableHLO: the only folder that touches MLIR."""
