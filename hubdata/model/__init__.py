"""The values that flow through a run: frozen, comparable, and the same again after a trip through JSON."""
