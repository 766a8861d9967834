"""A small world in memory: a store, a CDN, a source and a clock that do exactly what a test tells them."""
