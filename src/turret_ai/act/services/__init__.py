# SPDX-License-Identifier: Apache-2.0
"""The HTTP services of the competition's qualifiers: speech, language, vision, cannon."""
