#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# A C program with nothing but the C compiler and the installed library, in the ways that
# docs/library.md names; and what the program and the library then depend on.
# Usage: c_program.sh COMPILER PREFIX SOURCE FOLDER FLEET
set -eu
compiler=$1 prefix=$2 source=$3 folder=$4 fleet=$5
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tonnage.pc)")
export PKG_CONFIG_PATH
unset LD_LIBRARY_PATH
mkdir -p "$folder"
lib=$(pkg-config --variable=libdir tonnage)

# needed FILE: the shared libraries that the file names.
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# only NAMES PATTERN WHAT: ends the test if a name is not of the pattern.
only() {
  if printf '%s\n' "$1" | grep -vE "^($2)\$"; then
    echo "more than expected in $3"
    exit 1
  fi
}

"$compiler" "$source" $(pkg-config --cflags --libs tonnage) -Wl,-rpath,"$lib" -o "$folder/rpath"
"$folder/rpath" "$fleet"

"$compiler" "$source" -I"$prefix/include" -L"$lib" -ltonnage -o "$folder/plain"
LD_LIBRARY_PATH=$lib "$folder/plain" "$fleet"
only "$(needed "$folder/plain")" 'libtonnage\.so\.0|libc\.so\.6' "the program's libraries"

"$compiler" "$source" "$lib/libtonnage.a" -Wl,--as-needed \
  $(pkg-config --static --cflags --libs tonnage) -o "$folder/static"
"$folder/static" "$fleet"
if needed "$folder/static" | grep libtonnage; then
  echo "the static program needs the shared library"
  exit 1
fi

# Beside those of the compiler, the exact solver's.
only "$(needed "$lib/libtonnage.so")" \
  '(libc|libm|libgcc_s|libstdc\+\+|libdl|librt|libpthread|libCbc|libCgl|libClp|libOsi|libOsiClp|libCoinUtils)\.so\.[0-9.]+|ld-linux.*' \
  "the C library's libraries"
only "$(nm -D --defined-only "$lib/libtonnage.so" | cut -d ' ' -f 3)" 'tonnage_[a-z_]+' \
  "the C library's symbols"
