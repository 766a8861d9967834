"""What holds for every test of `deploy/`."""
