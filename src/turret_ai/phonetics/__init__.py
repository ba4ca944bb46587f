# SPDX-License-Identifier: Apache-2.0
"""How English words sound: phones, letter rules, a lexicon. For who hears and who understands."""
