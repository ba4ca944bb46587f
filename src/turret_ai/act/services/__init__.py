"""The HTTP services of the competition's qualifiers: speech, language, vision, cannon."""
