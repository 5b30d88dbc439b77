# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Writes one C++ source file from the examples of the public headers.

header_examples.py OUTPUT HEADER...

The opening comment of a header may hold a block "// Example:" (" * Example:" in C headers), whose
lines are indented by three spaces. Each block becomes a function of its own. The program compiles them and calls one,
so that an example that falls behind its header stops the build.
"""
import pathlib
import re
import sys


def example_of(header):
    """The lines of the example in the opening comment; empty if there is none."""
    lines = []
    inside = False
    for line in header.read_text(encoding="utf-8").splitlines():
        line = re.sub(r"^(//|/\*| \*)", "//", line)
        if not line.startswith("//"):
            break
        if inside and line.startswith("//   "):
            lines.append(line[5:].removesuffix(" */"))
        else:
            inside = line == "// Example:"
    return lines


def main():
    output, headers = pathlib.Path(sys.argv[1]), sys.argv[2:]
    includes = {"#include <cstdio>", "#include <string>", "#include <utility>"}
    functions = []
    for name in sorted(headers):
        header = pathlib.Path(name)
        lines = example_of(header)
        if not lines:
            continue
        includes.add(f'#include "{header.as_posix().rpartition("/include/")[2]}"')
        includes.update(line for line in lines if line.startswith("#include"))
        code = [line for line in lines if not line.startswith("#include")]
        function = "_".join(header.with_suffix("").parts[-3:])
        functions.append(f"// {header.name}\n[[maybe_unused]] void {function}() {{\n  "
                         + "\n  ".join(code) + "\n}\n")
    if not functions:
        sys.exit("header_examples.py: no header has an example")
    output.write_text("\n".join(sorted(includes)) + "\n\nnamespace {\n\n" + "\n".join(functions)
                      + "\n}  // namespace\n\nint main() { tonnage_core_error(); }\n",
                      encoding="utf-8")


if __name__ == "__main__":
    main()
