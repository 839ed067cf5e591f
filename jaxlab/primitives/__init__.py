"""First-order operations, one block per primitive with all its rules side by side."""
