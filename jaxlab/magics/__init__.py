"""The cell as the unit of transformation: `%%jit`, `%%grad`, `%%vmap` and the line magics."""
