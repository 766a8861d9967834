"""A hub's data files, from wherever its items say: what a network without a way out of it mirrors.

`options` says what a job file may hold, `items` reads the hub, `addresses` decides which key a URL is published under,
`manifest` knows what the upstream itself says of its files, and `source` fetches them.
"""
