#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a GPU machine builds alone: the sources of core/numerics.cmake define whatever of the
project they, both evaluators and the check itself call, and ask for no other library.

    check_alone.py FILE...
        Object files and static libraries of a whole build: those sources', the evaluators', the
        check's.
"""
import re
import subprocess
import sys


def symbols(path):
    """(object, defined, name) of each symbol of a library or object file."""
    text = subprocess.run(["nm", "-A", "-C", path], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        found = re.match(r".*?([^:/]+\.o):\s*[0-9a-f]*\s+([A-Za-z])\s(.*)", line)
        if found:
            yield found[1], found[2] not in "Uwv", found[3]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    defined, wanted = set(), {}
    for path in sys.argv[1:]:
        for member, is_defined, name in symbols(path):
            if is_defined:
                defined.add(name)
            else:
                wanted.setdefault(name, member)
    foreign = ("tonnage::", "fmt::", "nlohmann::", "CLI::")
    missing = {name: member for name, member in wanted.items()
               if name not in defined and any(word in name for word in foreign)}
    for name, member in sorted(missing.items()):
        print(f"{member} needs {name}, which none of these files defines")
    sys.exit(1 if missing or not defined else 0)


main()
