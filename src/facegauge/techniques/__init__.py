"""The techniques that label pictures with a quality: one file each, one protocol, no torch."""
