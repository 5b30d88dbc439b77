# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Sourced by the stand-ins beside it. FAULTS in the environment says which of their parts go wrong:
# a list of NAME=hang, NAME=crash or NAME=fail.

# fault NAME: hangs or crashes where the part is to; true where it is to fail.
fault() {
  case " ${FAULTS:-} " in
    *" $1=hang "*) hang "$1" ;;
    *" $1=crash "*) printf 'the last words of %s' "$1"; kill -SEGV $$ ;;
    *" $1=fail "*) return 0 ;;
  esac
  return 1
}
# Deaf to SIGTERM, with a child in a process group of its own that keeps the output open. A file in
# the folder HANGS says that it has come so far.
hang() {
  printf 'the last words before hanging'
  trap '' TERM
  set -m
  sleep 1000 &
  set +m
  : >"$HANGS/hangs-$1"
  while true; do sleep 1000; done
}
