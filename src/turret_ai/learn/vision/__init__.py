"""Training and export of detector, refiner, matcher and upscaler (extra `train`)."""
