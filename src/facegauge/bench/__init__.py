"""What scoring costs on this machine: the road by stages, many images at once, and the networks."""
