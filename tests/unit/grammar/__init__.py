"""Grammars: what is accepted, what is refused, and that nothing raises."""
