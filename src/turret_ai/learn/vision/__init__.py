"""Training and export of detector, matcher and upscaler (extra `train`)."""
