"""The interpretations of a program: evaluation, staging, differentiation, batching, lowering. One a file."""
