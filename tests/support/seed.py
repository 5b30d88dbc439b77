# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The seed of random tests in Python: what seed.hpp is to those in C++."""

import os
import secrets

FIXED_SEED = 1


def test_seed(bits=32):
    """The seed of this run, which is printed: FIXED_SEED, the number in TONNAGE_TEST_SEED, or one
    of so many random bits where TONNAGE_TEST_SEED is `fresh`."""
    given = os.environ.get("TONNAGE_TEST_SEED")
    if given == "fresh":
        seed = secrets.randbits(bits)
    else:
        seed = int(given, 0) if given else FIXED_SEED
    print(f"seed: {seed} (TONNAGE_TEST_SEED={seed} repeats it)", flush=True)
    return seed
