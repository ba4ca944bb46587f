# SPDX-License-Identifier: Apache-2.0
"""Language models for what rules and repair leave open."""
