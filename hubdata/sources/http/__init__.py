"""Lists as their publishers serve them on the web: an address each, a jq filter where they come as JSON.

`options` says what a job file may hold, `items_file` reads a list of them that is there already, `source` fetches them,
`page` tells a list from a page, `filtering` asks jq in a process of its own (`jq_child`), and `remembered` knows what
was fetched before and came to the same.
"""
