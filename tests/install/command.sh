#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# The installed command runs, says its version, plans an installed example; the schemas and the
# completion came along.
# Usage: command.sh PREFIX VERSION
set -eu
prefix=$1 version=$2
"$prefix/bin/tonnage" --version | grep -F "$version"
status=0
"$prefix/bin/tonnage" plan "$prefix/share/tonnage/examples/fleets/small.json" || status=$?
case $status in 0 | 3) ;; *) echo "plan ended with exit code $status"; exit 1 ;; esac
ls "$prefix"/share/tonnage/schema/*.json
bash -n "$prefix/share/bash-completion/completions/tonnage"
