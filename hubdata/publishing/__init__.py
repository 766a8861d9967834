"""The publishing protocol over any target: puts, the manifest swap that commits, deletes, then the CDN."""
