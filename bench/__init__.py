# SPDX-License-Identifier: Apache-2.0
"""Benchmarks, each beside its baseline: `python -m bench` runs them all."""
