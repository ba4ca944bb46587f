# SPDX-License-Identifier: Apache-2.0
"""Training speech recognisers: a small Whisper of our own, or a tuned public one."""
