"""What is decided, without IO: claims, adoption, differences, limits, invalidation paths."""
