# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it (sourced, bash). Owns: the list of Debian packages the project
# needs, how the missing ones are installed, and how the scripts configure, build and test a preset.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tools are looked for by command (a newer one from elsewhere is as good): command:package.
build_tools=(g++:g++ cmake:cmake ninja:ninja-build pkg-config:pkg-config python3:python3)
build_packages=(nlohmann-json3-dev libcli11-dev libfmt-dev libgtest-dev libbenchmark-dev
                coinor-libcbc-dev python3-jsonschema)
fuzz_packages=(clang libclang-rt-dev)

jobs="${TONNAGE_JOBS:-$(nproc)}"

# Compilers run through ccache where it is installed, unless the environment names another launcher
# (an empty one is none). Two checkouts share what ccache keeps: paths below the tree do not count.
if command -v ccache >/dev/null; then
  for language in C CXX CUDA; do
    launcher="CMAKE_${language}_COMPILER_LAUNCHER"
    [[ -v $launcher ]] || export "$launcher=ccache"
  done
  export CCACHE_BASEDIR="${CCACHE_BASEDIR-$PWD}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR-1}"
fi

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

installed() { [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == *" installed" ]]; }

apt_install() {
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || fail "missing packages: $*
  Not root and no sudo here. As root, run: apt-get install $*"
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(-n)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
             apt-get -q -o DPkg::Lock::Timeout=300)
  say "installing $*"
  "${apt[@]}" update || printf 'apt-get update failed; trying with the lists at hand\n' >&2
  "${apt[@]}" install -y --no-install-recommends "$@" </dev/null ||
    fail "could not install: $*"
}

# ensure_packages TOOL:PACKAGE... PACKAGE...: installs what is missing, and only that.
ensure_packages() {
  local item missing=()
  for item in "$@"; do
    if [[ $item == *:* ]]; then
      command -v "${item%%:*}" >/dev/null || missing+=("${item#*:}")
    elif command -v dpkg-query >/dev/null; then
      installed "$item" || missing+=("$item")
    fi
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  command -v apt-get >/dev/null || fail "missing: ${missing[*]} (Debian package names)
  There is no apt-get on this system; install them by its own means (docs/dependencies.md)."
  apt_install "${missing[@]}"
}

# build_preset PRESET [TARGET...]: configures and builds; everything when no target is named. On a
# build server (CI is set) warnings of GCC are errors.
build_preset() {
  local preset="$1" options=(); shift
  if [[ -n ${CI:-} && $preset != fuzz ]]; then options=(-DTONNAGE_WARNINGS_AS_ERRORS=ON); fi
  say "building (preset $preset, $jobs jobs)"
  cmake --preset "$preset" "${options[@]}"
  cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

# test_preset PRESET [CTEST-OPTION...]: runs the tests, then says why the skipped ones were skipped.
test_preset() {
  local preset="$1" status=0; shift
  say "testing (preset $preset${*:+, $*})"
  ctest --preset "$preset" -j "$jobs" "$@" || status=$?
  awk '/: Skipped$/ { getline; print "skipped: " $0 }' \
    "out/$preset/Testing/Temporary/LastTest.log" | sort | uniq -c
  return $status
}
