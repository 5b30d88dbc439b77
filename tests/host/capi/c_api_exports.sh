#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# c_api_exports.sh NM LIBRARY HEADER: the library exports exactly the functions of its header.
set -eu
exported=$("$1" --dynamic --defined-only --format=posix "$2" | cut -d' ' -f1 | sed 's/@.*//' | sort)
declared=$(sed -n '/^TONNAGE_API/{s/[^(]* \**\(tonnage_[a-z_]*\)(.*/\1/p;s/[^(]* \**\(tonnage_[a-z_]*\)($/\1/p;}' "$3" | sort)
[ -n "$declared" ] || { echo "no functions found in $3"; exit 1; }
[ "$exported" = "$declared" ] && exit 0
printf 'exported:\n%s\n\ndeclared:\n%s\n' "$exported" "$declared"
exit 1
