#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of the source tree on every tracked file: house.py [--license] [ROOT]

- A source file, CMake file or script names its copyright and license in two SPDX lines.
- A source file opens with a comment (after "#!" and the SPDX lines), has at most 400 lines, and
  in C++ no line over 100 columns and no function over 80 lines.
- A folder holds at most 18 source files.
- Private includes follow the order of the folders (ORDER below).

Prints one line per violation, FILE:LINE: what is wrong, and exits with 1 if there are any. With
--license it adds the SPDX lines to files that lack them, and checks nothing.
"""
import collections
import pathlib
import re
import subprocess
import sys

CPP = {".cpp", ".hpp", ".h", ".c", ".cu", ".cuh", ".inl"}
SCRIPTS = {".py", ".sh"}
# CMake files, and names without an ending, which scripts have.
OTHERS = {".txt", ".cmake", ".in", ""}
SPDX = ("SPDX-FileCopyrightText: The tonnage authors", "SPDX-License-Identifier: Apache-2.0")
MOST_LINES, MOST_COLUMNS, MOST_FUNCTION_LINES, MOST_FILES = 400, 100, 80, 18

# The paths of these folders are installed.
INSTALLED = {"core/include/tonnage/core"}

# Folder: the folders of host/ and elsewhere whose private headers it may include, besides its own.
ORDER = {
    "core": [],
    "io": [],
    "cuda": [],
    "host/base": [],
    "host/evaluate": ["host/base"],
    "host/options": ["host/base"],
    "host/select": ["host/base", "host/options"],
    "host/plan": ["host/base", "host/evaluate", "host/options", "host/select"],
    "host/explain": ["host/base", "host/evaluate", "host/options", "host/select", "host/plan"],
    "host/verify": ["host/base", "host/evaluate"],
    "host/generate": ["host/base", "host/evaluate", "host/options", "host/select", "host/plan"],
    "host/capi": ["host/base", "host/evaluate", "host/options", "host/select", "host/plan",
                  "host/explain", "host/verify"],
    "host/cli": ["host/base", "host/evaluate", "host/options", "host/select", "host/plan",
                 "host/explain", "host/verify", "host/generate"],
    "bench": ["host", "cuda"],
    "tests": ["bench", "core", "cuda", "host", "io"],
}
# Private headers that every source file may include.
EVERYWHERE = {"core/src/check.hpp"}
# Folder: the public headers (tonnage/ROOM/) that it may not include.
NOT_PUBLIC = {"core": {"cuda", "host", "io"}, "io": {"cuda", "host"}, "cuda": {"host", "io"}}

# (file, rule): why the violation stays for now.
KNOWN = {}

INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')
# Scopes that open with "{" at the end of a line and are no functions.
NO_FUNCTION = re.compile(r"\s*(?:(?:inline |typedef |template ?<.*> |export )*"
                         r"(?:namespace|class|struct|enum|union|extern)\b|#|//)|.*[=,({]\s*\{$")
LAMBDA = re.compile(r"\[[^\]]*\] ?(?:\(|\{|mutable)")


def tracked(root):
    """Paths of all tracked files that exist, without inputs of fuzzers."""
    names = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                           capture_output=True, text=True).stdout.split("\0")
    return [pathlib.PurePosixPath(n) for n in names
            if n and not n.startswith("tests/fuzz/corpus/") and (root / n).is_file()]


def code_lines(root, path):
    return (root / path).read_text(encoding="utf-8").split("\n")


def comment_marks(path, lines):
    """What a comment line of the file begins and ends with; None for files without a license."""
    if path.suffix in CPP:
        return ("/* ", " */") if lines[0].startswith("/*") else ("// ", "")
    is_script = path.suffix in SCRIPTS or lines[0].startswith("#!")
    is_cmake = path.name == "CMakeLists.txt" or path.suffix == ".cmake" or str(path).endswith(
        ".cmake.in")
    return ("# ", "") if (is_script or is_cmake) and path.parts[0] != ".ci" else None


def licensed(path, lines):
    """The lines of the file with the SPDX lines; None where it has them or needs none."""
    marks = comment_marks(path, lines)
    if marks is None or all(any(s in line for line in lines[:3]) for s in SPDX):
        return None
    first = 1 if lines[0].startswith("#!") else 0
    return lines[:first] + [marks[0] + s + marks[1] for s in SPDX] + lines[first:]


def opens_with_comment(path, lines):
    """Whether the first line of substance is a comment that says something."""
    for line in lines:
        if path.suffix in CPP:
            if line.startswith("// SPDX-") or line.startswith("/* SPDX-"):
                continue
            return line.startswith(("// ", "/* "))
        if line.startswith("#!") or line.startswith("# SPDX-"):
            continue
        return line.startswith(("# ", '"""'))
    return False


def long_functions(lines):
    """(line, length) of every function over the limit, found by its indentation."""
    for i, line in enumerate(lines):
        if not line.endswith("{") or NO_FUNCTION.match(line) or LAMBDA.search(line):
            continue
        # A signature over several lines starts where the indentation is least.
        first = i
        indent = len(line) - len(line.lstrip())
        while first > 0 and lines[first - 1].strip() and not lines[first - 1].rstrip().endswith(
                ("{", "}", ";", ":")) and not lines[first - 1].lstrip().startswith(("//", "#")):
            first -= 1
            indent = min(indent, len(lines[first]) - len(lines[first].lstrip()))
        if not is_function_head(" ".join(x.strip() for x in lines[first:i + 1])):
            continue
        closing = " " * indent + "}"
        for j in range(i + 1, len(lines)):
            if lines[j].startswith(closing):
                if j - i + 1 > MOST_FUNCTION_LINES:
                    yield first + 1, j - i + 1
                break


def is_function_head(text):
    """Whether a line up to "{" opens a function body."""
    if NO_FUNCTION.match(text):
        return False
    if re.match(r"(?:\} )?(?:if|for|while|switch|else|do|try|catch|case|default|return)\b", text):
        return False
    return "(" in text and ")" in text


def room_of(path):
    """The key of ORDER that a file belongs to; empty for examples and the like."""
    parts = path.parts
    if parts[0] == "host" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def included_room(name):
    """The folder of a private header by the path in its include; empty for others."""
    path = pathlib.PurePosixPath(name)
    if path.parts[0] == "host" and len(path.parts) > 2:
        return "/".join(path.parts[:2])
    return path.parts[0] if path.parts[0] in ("core", "cuda", "host", "io", "bench") else ""


def wrong_include(path, name):
    """What is wrong with an include of a file; empty if nothing is."""
    room = room_of(path)
    if name.startswith("tonnage/"):
        public = name.split("/")[1]
        if public in NOT_PUBLIC.get(room, ()):
            return f"{room} may not include headers of {public}"
        return ""
    other = included_room(name)
    if name in EVERYWHERE:
        return ""
    allowed = ORDER.get(room)
    if not other or allowed is None or other == room:
        return ""
    if other == "cuda" and path.parts[:2] not in (("bench", "gpu"),) and path.parts[0] != "tests":
        return "only cuda, bench/gpu and tests may include private headers of cuda"
    if other not in allowed and other.split("/")[0] not in allowed:
        return f"{room} may not include private headers of {other}"
    return ""


def violations(root):
    """(file, line, rule, message) of every violation."""
    per_folder = collections.Counter()
    for path in tracked(root):
        if path.suffix not in CPP | SCRIPTS | OTHERS:
            continue
        lines = code_lines(root, path)
        if licensed(path, lines) is not None:
            yield path, 1, "license", "lacks the SPDX lines; house.py --license adds them"
        if path.suffix in OTHERS:
            continue
        per_folder[str(path.parent)] += 1
        if not opens_with_comment(path, lines):
            yield path, 1, "opener", "does not open with a comment that says what the file owns"
        count = len(lines) - (lines[-1] == "")
        if count > MOST_LINES:
            yield path, count, "lines", f"{count} lines, at most {MOST_LINES}"
        if path.suffix not in CPP:
            continue
        for number, line in enumerate(lines, 1):
            if len(line) > MOST_COLUMNS:
                yield path, number, "columns", f"{len(line)} columns, at most {MOST_COLUMNS}"
            found = INCLUDE.match(line)
            wrong = wrong_include(path, found[1]) if found else ""
            if wrong:
                yield path, number, "include", wrong
        for number, length in long_functions(lines):
            yield path, number, "function", f"{length} lines, at most {MOST_FUNCTION_LINES}"
    for folder, count in sorted(per_folder.items()):
        if count > MOST_FILES and folder not in INSTALLED:
            yield folder, 0, "folder", f"{count} source files, at most {MOST_FILES}"


def add_licenses(root):
    """Adds the SPDX lines to every file that lacks them."""
    for path in tracked(root):
        if path.suffix in CPP | SCRIPTS | OTHERS:
            lines = licensed(path, code_lines(root, path))
            if lines is not None:
                (root / path).write_text("\n".join(lines), encoding="utf-8")


def main():
    arguments = [a for a in sys.argv[1:] if a != "--license"]
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    if subprocess.run(["git", "-C", root, "rev-parse"], capture_output=True).returncode != 0:
        print("house.py: not a git work tree, nothing to check")
        sys.exit(77)
    if "--license" in sys.argv[1:]:
        add_licenses(root)
        return
    failed = 0
    fixed = set(KNOWN)
    for path, line, rule, message in violations(root):
        if (str(path), rule) in KNOWN:
            fixed.discard((str(path), rule))
            continue
        failed += 1
        print(f"{path}:{line}: {message}")
    for path, rule in sorted(fixed):
        print(f"{path}:1: no longer violates the rule \"{rule}\"; remove it from KNOWN")
    if failed > 0 or fixed:
        sys.exit(1)


if __name__ == "__main__":
    main()
