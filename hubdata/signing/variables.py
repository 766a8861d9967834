"""The names of the variables that hold the signing key and its password, alone: every run looks at names."""

KEY_VARIABLE = "HUBDATA_SIGNING_KEY"
PASSWORD_VARIABLE = "HUBDATA_SIGNING_PASSWORD"  # noqa: S105 - the name of a variable
