# SPDX-License-Identifier: Apache-2.0
"""The finals server of the competition: our client, and our own server for tests and training."""
