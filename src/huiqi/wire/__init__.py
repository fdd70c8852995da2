"""Foreign message to our document and back, pure: tolerant in, strict out."""
