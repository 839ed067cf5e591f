"""Programs and transformations, each with each."""
