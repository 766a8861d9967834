"""What files mean to an engine, by kind, and how two meanings differ; pure functions over bytes and values."""
