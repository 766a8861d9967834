"""A published directory over HTTP: the public copy of a closed network.

What an answer says is decided by pure functions (`paths`, `answers`); files are opened and read in `published` and
`digests`; `app` puts both together as an ASGI application. `listening`, `connections` and `server` are the wiring
around it: sockets of both families, time limits, signals.
"""
