"""One adapter of each sort for hubdata, a file each."""
