"""Lists as their publishers serve them on the web: an address each, a jq filter where they come as JSON.

`options` says what a job file may hold, `items_file` reads a list of them that is there already, `source` fetches them,
and `filtering` asks jq in a process of its own (`jq_child`). What the source shares with that of a hub's items lies in
`transfer/`: `list_page` tells a list from a page, `answers` knows what was fetched before and came to the same.
"""
