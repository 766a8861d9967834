"""CDNs, one a file: each forgets the paths it is told."""
