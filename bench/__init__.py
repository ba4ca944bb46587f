"""Benchmarks, each beside its baseline: `python -m bench` runs them all."""
