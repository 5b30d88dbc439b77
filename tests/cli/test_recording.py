# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded results and the page made from them: what is there is never lost to a new one."""

import json
import os
import re
import resource
import signal
import subprocess
import sys

from support import SOURCE, CommandTest, main

RESULT = {"context": {"date": "2026-01-02T00:00:00", "num_cpus": 2, "cpu": "c", "compiler": "g",
                      "commit": "abc"},
          "benchmarks": [{"name": "threads", "run_name": "table/cpu-together/x/threads:1",
                          "real_time": 1, "time_unit": "s", "candidates_per_second": 1e6}]}
PAGE = "# Page\n<!-- figures threads -->\nold\n<!-- end -->\n"


class Report(CommandTest):
    def report(self, document, **options):
        return subprocess.run([sys.executable, SOURCE / "bench" / "report",
                               self.file("result.json", RESULT), document],
                              capture_output=True, text=True, timeout=60, **options)

    def test_page_is_replaced_as_a_whole(self):
        page, link = self.folder / "page.md", self.folder / "link.md"
        page.write_text(PAGE)
        page.chmod(0o640)
        link.symlink_to("page.md")
        result = self.report(link)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("candidates/s", page.read_text())
        self.assertTrue(link.is_symlink())
        self.assertEqual(page.stat().st_mode & 0o7777, 0o640)
        self.assertEqual(sorted(os.listdir(self.folder)), ["link.md", "page.md", "result.json"])

    def test_failure_leaves_the_old_page_and_nothing_else(self):
        page = self.folder / "page.md"
        text = PAGE + "x" * 100000
        page.write_text(text)

        def small_files():  # as on a full disk
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

        self.assertNotEqual(self.report(page, preexec_fn=small_files).returncode, 0)
        self.assertEqual(page.read_text(), text)
        self.assertEqual(sorted(os.listdir(self.folder)), ["page.md", "result.json"])


class Bench(CommandTest):
    def test_results_of_the_same_day_and_commit_stay(self):
        script = (SOURCE / "scripts" / "bench").read_text()
        record = re.search(r"<<'PY'\n(.*)^PY$", script, re.M | re.S)[1]
        self.file("evaluate.json", RESULT)
        for count in (1, 2, 3):
            subprocess.run([sys.executable, "-c", record, "abc", "evaluate"], cwd=self.folder,
                           check=True, capture_output=True, timeout=60)
            results = list((self.folder / "bench" / "results").iterdir())
            self.assertEqual(len(results), count)
            for result in results:
                self.assertEqual(json.loads(result.read_text())["context"]["commit"], "abc")


if __name__ == "__main__":
    main()
