"""Checks of the rules of a primitive, on its own examples."""
