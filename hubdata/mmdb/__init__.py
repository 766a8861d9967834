"""The MaxMind DB format: proof that a file is whole, what its networks are, and how two files differ."""
