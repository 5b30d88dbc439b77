# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic fleets: sizes, seeds, capacity, limits."""

import json

from support import BAD_INPUT, COMPLETE, INCOMPLETE, SOURCE, CommandTest, main, part


class Generate(CommandTest):
    def generate(self, *options):
        return self.answer(COMPLETE, "generate", *options)

    def test_sizes(self):
        document = self.generate("--servers", 30, "--accelerators", 9, "--models", 4, "--seed", 3)
        self.assertEqual(len(part(document, "serverData")), 30)
        self.assertEqual(len(part(document, "acceleratorData")), 9)
        self.assertEqual(len({m["name"] for m in part(document, "modelData")}), 4)
        optimizer = document["system"]["optimizerData"]["optimizer"]
        self.assertFalse(optimizer["unlimited"])
        self.assertEqual(optimizer["saturationPolicy"], "None")

    def test_seed_decides(self):
        def text(seed):
            return self.expect(COMPLETE, "generate", "--servers", 20, "--seed", seed).stdout
        self.assertEqual(text(5), text(5))
        self.assertNotEqual(text(5), text(6))

    def test_threads_change_nothing(self):
        answers = {self.expect(COMPLETE, "generate", "--servers", 500, "--threads", n).stdout
                   for n in (1, 2, 7)}
        self.assertEqual(len(answers), 1)

    def test_large_example_is_what_its_command_writes(self):
        examples = SOURCE / "examples"
        (command,) = [line.split() for line in (examples / "README.md").read_text().splitlines()
                      if line.startswith("    tonnage generate")]
        written = self.expect(COMPLETE, *command[1:]).stdout
        committed = (examples / "fleets" / "large.json").read_text()
        self.assertTrue(written == committed, "examples/fleets/large.json is out of date")
        self.assertLess(len(committed), 2_000_000)

    def test_fleets_are_clean_and_plannable(self):
        text = self.expect(COMPLETE, "generate", "--servers", 200, "--seed", 11).stdout
        report = self.answer(COMPLETE, "validate", "-", "--format", "json", stdin=text)
        self.assertEqual(report, {"errors": [], "warnings": []})
        plan = self.answer(COMPLETE, "plan", "-", "--solver", "unlimited", "--format", "json",
                           stdin=text)
        self.assertEqual(len(plan["allocations"]), 200)

    def test_tightness_scales_what_the_unlimited_optimum_uses(self):
        for tightness in (1.0, 0.5, 2.0):
            document = self.generate("--servers", 200, "--seed", 4, "--tightness", tightness)
            plan = self.answer(COMPLETE, "plan", "-", "--solver", "unlimited", "--format", "json",
                               stdin=json.dumps(document))
            capacity = {c["type"]: c["count"] for c in part(document, "capacityData")}
            for name, usage in plan["summary"]["types"].items():
                exact = usage["used"] * tightness
                self.assertLessEqual(abs(capacity.get(name, 0) - (exact + 0.5)), 0.5 + 1e-9)
        scarce = self.expect(COMPLETE, "generate", "--servers", 200, "--tightness", 0.5).stdout
        self.expect(INCOMPLETE, "plan", "-", stdin=scarce)

    def test_refused(self):
        for options in (["--servers", 0], ["--servers", -5], ["--servers", 10**9],
                        ["--accelerators", 0], ["--models", 0], ["--models", 1000],
                        ["--tightness", 0], ["--tightness", "nan"], ["--seed", -1],
                        ["--servers", 2**64 + 5], ["--servers", "many"]):
            with self.subTest(options=options):
                result = self.expect(BAD_INPUT, "generate", *options)
                self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    main()
