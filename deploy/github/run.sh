#!/usr/bin/env bash
# One run of hubdata, as the inputs of action.yml say. They are in the environment and become arguments, each one word:
# no input is ever part of a command's text, and none can begin an option of its own.
set -euo pipefail

refuse() {
  echo "::error title=hubdata::$1"
  exit 2
}

arguments=()

flag() { # flag --NAME true|false
  case $2 in
    true) arguments+=("$1") ;;
    false | "") ;;
    *) refuse "the input for $1 must be true or false" ;;
  esac
}

each() { # each --NAME "WORD WORD ...": the option once for each word
  local word words=()
  read -r -d "" -a words <<<"$2" || true
  for word in "${words[@]}"; do
    arguments+=("$1=$word")
  done
}

case $INPUT_COMMAND in
  sync) arguments+=(sync --once) ;;
  plan) arguments+=(plan) ;;
  geoip) arguments+=(geoip refresh) ;;
  verify) arguments+=(verify) ;;
  *) refuse "the input command must be sync, plan, geoip or verify" ;;
esac
arguments+=(--format github)
if [ -n "$INPUT_CONFIG" ]; then arguments+=("--config=$INPUT_CONFIG"); fi
if [ -n "$INPUT_CHECKOUT" ]; then arguments+=("--checkout=$INPUT_CHECKOUT"); fi
each --job "$INPUT_JOB"
each --target "$INPUT_TARGET"
if [ "$INPUT_COMMAND" = geoip ] && [ "$INPUT_EDITION" != all ]; then each --edition "$INPUT_EDITION"; fi
flag --force "$INPUT_FORCE"
flag --dry-run "$INPUT_DRY_RUN"
each --approve "$INPUT_APPROVE"
flag --allow-rollback "$INPUT_ALLOW_ROLLBACK"
flag --wait "$INPUT_WAIT"

code=0
"$RUNNER_TEMP/hubdata/bin/hubdata" "${arguments[@]}" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
