"""Synthetic radio speech: sentences spoken by free engines and sent over a simulated radio."""
