#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""What nvcc made of the kernels.

    check_kernels.py embedded BINARY ARCHITECTURE...
        The binary holds native code for each of these architectures (80, 90, ...), and PTX.
    check_kernels.py resources REPORT ARCHITECTURE...
        Reads what the assembler said about the kernels when they were compiled, prints a table and
        fails if any function spills a register or a kernel is missing in one of the architectures.
"""
import collections
import re
import struct
import sys

FATBIN_MAGIC = 0xBA55ED50
PTX, ELF = 1, 2
KERNELS = ("FillReciprocals", "FillInverseMu", "SizePlainLines", "SizeUnevenLines",
           "SizePercentileLines", "StartSearches", "SweepLines", "SettleFirst", "SettleLines",
           "FillPieceRates", "SizeTableRows", "FillTable", "FillPercentiles", "JudgePercentiles",
           "DropPoints", "CountPoints", "WritePoints", "DeviceScan")
FUNCTIONS = ("averages_of_pair", "compare_pair", "search_uneven_pair", "reason_at_low_end",
             "search_percentile_pair", "finish_on_percentile", "ttft_at_level")


def section(path, wanted):
    """Bytes of an ELF64 section, b"" where there is none."""
    data = open(path, "rb").read()
    if data[:5] != b"\x7fELF\x02":
        sys.exit(f"{path} is no 64-bit ELF file")
    table, = struct.unpack_from("<Q", data, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    names = headers[names_index][4]
    for name, _, _, _, offset, length in headers:
        start = names + name
        if data[start:data.index(b"\0", start)].decode() == wanted:
            return data[offset:offset + length]
    return b""


def embedded(path):
    """(kind, architecture) of every entry of the fat binaries in a file."""
    data = section(path, ".nv_fatbin")
    found = set()
    at = 0
    while at + 16 <= len(data):
        magic, _, header, size = struct.unpack_from("<IHHQ", data, at)
        if magic != FATBIN_MAGIC:
            at += 8
            continue
        entry, end = at + header, at + header + size
        while entry < end:
            kind, _, entry_header, payload = struct.unpack_from("<HHIQ", data, entry)
            architecture, = struct.unpack_from("<I", data, entry + 28)
            found.add((kind, architecture))
            entry += entry_header + payload
        at = end
    return found


def check_embedded(path, wanted):
    found = embedded(path)
    native = sorted(a for kind, a in found if kind == ELF)
    ptx = sorted(a for kind, a in found if kind == PTX)
    print(f"native code: {native}, PTX: {ptx}")
    missing = [a for a in wanted if int(a) not in native]
    if missing or not ptx:
        sys.exit(f"missing: native {missing}" + ("" if ptx else ", PTX"))


def check_resources(path, wanted):
    with open(path) as report:
        texts = split_by_architecture(report.read())
    failures = [f"sm_{architecture}: no report" for architecture in wanted
                if architecture not in texts]
    for architecture, text in texts.items():
        failures += read_report(architecture, text)
    if failures:
        sys.exit("\n".join(failures))


def split_by_architecture(text):
    """The report of each architecture: the assembler works on one after the other."""
    texts, architecture = {}, None
    for line in text.splitlines(keepends=True):
        if match := re.search(r"' for 'sm_(\w+)'", line):
            architecture = match[1]
        if architecture:
            texts[architecture] = texts.get(architecture, "") + line
    return texts


def short_name(symbol):
    """SweepLines<0,1,0> from a mangled kernel or function name."""
    name = symbol
    for known in KERNELS + FUNCTIONS:
        if known in symbol:
            name = known
    flags = re.findall(r"Lb([01])E", symbol) if name.endswith(("Lines", "Table", "Points")) else []
    return name + (f"<{','.join(flags[:3])}>" if flags else "")


def read_report(architecture, text):
    function, failures, kernels = "", [], set()
    rows = collections.OrderedDict()
    entry = ""
    for line in text.splitlines():
        if match := re.search(r"Compiling entry function '(\S+)'", line):
            entry = short_name(match[1])
            kernels.add(entry.split("<")[0])
        elif match := re.search(r"Function properties for (\S+)", line):
            function = short_name(match[1])
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes "
                                r"spill loads", line):
            stack, stores, loads = map(int, match.groups())
            key = entry if function == entry else f"{entry} > {function}"
            rows[key] = [stack, stores + loads, None]
            if stores or loads:
                failures.append(f"sm_{architecture}: {key} spills {stores} + {loads} bytes")
        elif match := re.search(r"Used (\d+) registers", line):
            if entry in rows:
                rows[entry][2] = int(match[1])
    print(f"sm_{architecture}\n  {'registers':>9} {'stack':>6} {'spills':>6}  function")
    for name, (stack, spills, registers) in rows.items():
        print(f"  {registers or '':>9} {stack:>6} {spills:>6}  {name}")
    missing = set(KERNELS) - kernels
    if missing:
        failures.append(f"sm_{architecture}: no report on {', '.join(sorted(missing))}")
    return failures


if len(sys.argv) >= 4 and sys.argv[1] == "embedded":
    check_embedded(sys.argv[2], sys.argv[3:])
elif len(sys.argv) >= 4 and sys.argv[1] == "resources":
    check_resources(sys.argv[2], sys.argv[3:])
else:
    sys.exit(__doc__)
