"""Every registered primitive, with every rule it has, on every one of its examples: nothing is listed by
hand."""
