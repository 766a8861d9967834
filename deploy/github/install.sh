#!/usr/bin/env bash
# hubdata from the commit that the action was taken from, into an environment of its own; every dependency by its hash.
set -euo pipefail

source=$GITHUB_ACTION_PATH/../..
home=$RUNNER_TEMP/hubdata

python -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
  -r "$source/requirements/image.txt" -r "$source/requirements/build.txt"
"$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation "$source"
