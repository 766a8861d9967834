"""The hub's items against what is published: what is asked for in vain, used wrongly, or by nobody."""
