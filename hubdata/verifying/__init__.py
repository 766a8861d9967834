"""The public copy against the manifest, as readers of each address family get it.

What is right or wrong is decided by pure comparisons (`headers`, `contents`, `manifests`); `looking` asks over one
family, `watching` over all of them, again until a CDN has caught up.
"""
