#!/usr/bin/env python3
"""The check of a GPU machine builds alone: the sources of core/numerics.cmake define
whatever of the project they, both evaluators and the check itself call, and ask for no other
library.

    check_alone.py NUMERICS ARCHIVE... -- OBJECT...
        ARCHIVE: the static libraries of core and cuda in a whole build. OBJECT: of the CPU evaluator
        and of the check.
"""
import pathlib
import re
import subprocess
import sys


def symbols(path):
    """(member, defined, name) of each symbol of a library or object file."""
    text = subprocess.run(["nm", "-A", "-C", path], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        found = re.match(r".*?([^:/]+\.o):\s*[0-9a-f]*\s+([A-Za-z])\s(.*)", line)
        if found:
            yield found[1], found[2] not in "Uwv", found[3]


def main():
    split = sys.argv.index("--")
    listing, archives, objects = sys.argv[1], sys.argv[2:split], sys.argv[split + 1:]
    taken = set(re.findall(r"^  (\w+\.cpp)", pathlib.Path(listing).read_text(), re.M))
    if not taken or not objects:
        sys.exit(f"{listing} lists no sources, or no objects were given")
    defined, wanted = set(), {}
    for path in archives + objects:
        listed = "cuda" in pathlib.Path(path).name or path in objects
        for member, is_defined, name in symbols(path):
            if not listed and member.removesuffix(".o") not in taken:
                continue
            if is_defined:
                defined.add(name)
            else:
                wanted.setdefault(name, member)
    foreign = ("tonnage::", "fmt::", "nlohmann::", "CLI::")
    missing = {name: member for name, member in wanted.items()
               if name not in defined and any(word in name for word in foreign)}
    for name, member in sorted(missing.items()):
        print(f"{member} needs {name}, which no source listed in {listing} defines")
    sys.exit(1 if missing else 0)


main()
