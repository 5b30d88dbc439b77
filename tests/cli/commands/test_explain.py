# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""tonnage explain and tonnage sensitivity."""
import csv
import io

from support import BAD_INPUT, COMPLETE, SMALL, CommandTest, main


class Explain(CommandTest):
    def test_one_server_and_all(self):
        one = self.answer(COMPLETE, "explain", SMALL, "--server", "support-chat", "--format", "json")
        self.assertEqual(list(one), ["support-chat"])
        options = one["support-chat"]["options"]
        self.assertEqual(sum(o["chosen"] for o in options), 1)
        self.assertEqual(options, sorted(options, key=lambda o: o["value"]))
        self.assertIn("would save", one["support-chat"]["reason"])
        everything = self.answer(COMPLETE, "explain", SMALL, "--format", "json")
        self.assertEqual(everything["support-chat"], one["support-chat"])
        plan = self.answer(3, "plan", SMALL, "--format", "json")
        for name, e in everything.items():
            chosen = [o["accelerator"] for o in e["options"] if o["chosen"]]
            self.assertEqual(chosen, [plan["allocations"][name]["accelerator"]]
                             if name in plan["allocations"] else [])

    def test_what_it_would_take(self):
        text = self.expect(COMPLETE, "explain", SMALL, "--server", "trading-desk").stdout
        self.assertIn("times as high", text)
        text = self.expect(COMPLETE, "explain", SMALL, "--server", "translation").stdout
        self.assertIn("more cards of type", text)

    def test_unknown_server_suggests(self):
        result = self.expect(BAD_INPUT, "explain", SMALL, "--server", "support-chet")
        self.assertIn('"support-chat"', result.stderr)


class Sensitivity(CommandTest):
    def test_formats_agree(self):
        arguments = ("sensitivity", SMALL, "--range", "50", "--steps", "1")
        points = self.answer(COMPLETE, *arguments, "--format", "json")
        self.assertEqual({p["scale"] for p in points}, {0.5, 1, 1.5})
        rows = list(csv.DictReader(io.StringIO(
            self.expect(COMPLETE, *arguments, "--format", "csv").stdout)))
        self.assertEqual([float(r["totalCost"]) for r in rows], [p["totalCost"] for p in points])
        table = self.expect(COMPLETE, *arguments).stdout.splitlines()
        self.assertEqual(len(table), len(points) + 1)

    def test_one_axis(self):
        points = self.answer(COMPLETE, "sensitivity", SMALL, "--axis", "load", "--format", "json")
        self.assertEqual([p["axis"] for p in points], ["load"] * 5)

    def test_bad_ranges(self):
        for bad in (("--range", "100"), ("--range", "nan"), ("--steps", "0"), ("--axis", "lod")):
            self.expect(BAD_INPUT, "sensitivity", SMALL, *bad)


if __name__ == "__main__":
    main()
