"""How engines read text: lines, networks, regular expressions, JSON rows. Pure functions that kinds share."""
