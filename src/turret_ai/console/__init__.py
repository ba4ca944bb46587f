# SPDX-License-Identifier: Apache-2.0
"""The operator's console: a page that shows the turn and acts on it, and the server behind it."""
