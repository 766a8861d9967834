# The distribution, its functions, records and logs: in the making. Variables and outputs stand.
