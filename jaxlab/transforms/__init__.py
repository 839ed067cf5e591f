"""What users apply to functions."""
