"""Control flow: primitives whose parameters are programs."""
