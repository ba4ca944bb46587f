# SPDX-License-Identifier: Apache-2.0
"""Training and export of detector, matcher and upscaler (extra `train`)."""
