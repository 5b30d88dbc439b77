#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# scripts/nightly refuses what it does not understand before it does anything, and lists its steps;
# the README names the systems it checks.
# Usage: nightly.sh SOURCE_FOLDER
set -eu
cd "$1"

# refused MESSAGE ARGUMENT...: the arguments end in an error with that message.
refused() {
  message=$1
  shift
  if output=$(scripts/nightly "$@" 2>&1); then
    echo "not refused: $*"
    exit 1
  fi
  printf '%s\n' "$output" | grep -F "error: $message" || { printf '%s\n' "$output"; exit 1; }
}
refused "unknown argument '--nothing'" --nothing
refused "--suite needs a value" --suite
refused "--mirror needs a value" --mirror ''
refused "--suite takes a name" --suite ../trixie
refused "no step SUITE/USER/COMMAND matches 'sid/*'" --only 'sid/*'
refused "--dir: no folder '/nonexistent'" --dir /nonexistent --dry-run
[ "$(id -u)" -eq 0 ] || refused 'scripts/nightly makes system roots and must be run by root' --only 'trixie/root/quickstart'

expected=$(for suite in bookworm trixie; do
  for user in root builder; do printf '%s\n' $suite/$user/quickstart $suite/$user/test; done
done)
[ "$(scripts/nightly --dry-run)" = "$expected" ] || { scripts/nightly --dry-run; exit 1; }
[ "$(scripts/nightly --dry-run --suite sid --only '*/root/test')" = sid/root/test ]
[ "$(scripts/nightly --dry-run --only 'trixie/*/quickstart' | wc -l)" -eq 2 ]
grep -F 'Debian 12 (bookworm) and 13 (trixie)' README.md
