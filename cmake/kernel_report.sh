#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Compiles a CUDA source with a command of nvcc, and keeps what the assembler says about registers,
# stack and spills in a file beside the object file (-o FILE: FILE.kernels); what else nvcc says is
# passed on. tests/parity reads the report.
# Usage: kernel_report.sh COMMAND...
object=""
previous=""
for word in "$@"; do
  [ "$previous" = -o ] && object=$word
  previous=$word
done
case $object in
  *.o) ;;
  *) exec "$@" ;;
esac
"$@" 2>"$object.kernels"
status=$?
grep -vE '^ptxas info|^ +[0-9]+ bytes stack frame' "$object.kernels" >&2
exit $status
