#!/bin/sh
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Builds and runs a C++ consumer with nothing but the compiler and pkg-config.
# Usage: pkg_config.sh COMPILER PREFIX SOURCE PROGRAM FLEET
set -eu
compiler=$1 prefix=$2 source=$3 program=$4 fleet=$5
folder=$(dirname "$(find "$prefix" -name tonnage-cxx.pc)")
PKG_CONFIG_PATH=$folder
export PKG_CONFIG_PATH
"$compiler" "$source" $(pkg-config --cflags --libs tonnage-cxx) -o "$program"
"$program" "$fleet"
