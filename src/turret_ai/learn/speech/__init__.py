# SPDX-License-Identifier: Apache-2.0
"""Synthetic radio speech: sentences spoken by free engines and sent over a simulated radio."""
