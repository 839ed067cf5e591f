"""Measurements of jaxlab beside jax: separate processes, interleaved, medians of ratios."""
