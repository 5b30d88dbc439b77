# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""library_doc_test.py DOCUMENT FOLDER: every code block of the document stands in an example."""
import pathlib
import re
import sys

document = pathlib.Path(sys.argv[1]).read_text()
examples = [path.read_text() for path in sorted(pathlib.Path(sys.argv[2]).iterdir())]
# Indentation and line breaks may differ; nothing else may.
plain = ["".join(text.split()) for text in examples]
blocks = re.findall(r"^```(?:c|cpp|cmake)\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit("no code blocks in " + sys.argv[1])
missing = [block for block in blocks if not any("".join(block.split()) in text for text in plain)]
if missing:
    sys.exit("in no example:\n\n" + "\n".join(missing))
