# SPDX-License-Identifier: Apache-2.0
"""From pictures of a moving craft to where it is, and where it will be: tracks, and the lock."""
