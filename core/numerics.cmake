# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# The sources of core that evaluators need. They rest on the C++ standard library alone, so that the
# check of a GPU machine (bench/gpu) can be built where nothing else is installed.
set(tonnage_numerics
  error.cpp
  evaluator.cpp
  goodput_search.cpp
  grid.cpp
  line.cpp
  printable.cpp
  sizing.cpp
  wait_distribution.cpp)
list(TRANSFORM tonnage_numerics PREPEND ${CMAKE_CURRENT_LIST_DIR}/src/)
