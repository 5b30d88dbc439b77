# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""What changes between two plans."""

import json

from support import BAD_INPUT, COMPLETE, CommandTest, changed, fleet, main

FIELDS = {"server", "kind", "oldAccelerator", "newAccelerator", "oldNumReplicas", "newNumReplicas",
          "oldMaxBatch", "newMaxBatch", "costDifference"}


class Diff(CommandTest):
    def setUp(self):
        super().setUp()
        self.old = self.plan(fleet())

    def differences(self, change):
        old = self.file("old.json", self.old)
        new = self.file("new.json", changed(self.old, change))
        found = self.answer(COMPLETE, "diff", old, new, "--format", "json")
        for entry in found:
            self.assertEqual(set(entry), FIELDS)
        return found

    def test_equal_plans(self):
        self.assertEqual(self.differences(lambda p: None), [])
        path = self.file("plan.json", self.old)
        self.assertEqual(self.expect(COMPLETE, "diff", path, path).stdout,
                         "0 servers changed, +0.00 $/hour\n")

    def test_changed_server(self):
        def change(p):
            p["allocations"]["alpha"].update(accelerator="other", numReplicas=7, maxBatch=3,
                                             cost=p["allocations"]["alpha"]["cost"] + 150)
        before = self.old["allocations"]["alpha"]
        (entry,) = self.differences(change)
        self.assertEqual(entry, {
            "server": "alpha", "kind": "changed", "oldAccelerator": before["accelerator"],
            "newAccelerator": "other", "oldNumReplicas": before["numReplicas"],
            "newNumReplicas": 7, "oldMaxBatch": before["maxBatch"], "newMaxBatch": 3,
            "costDifference": 150})

    def test_added_and_removed(self):
        def change(p):
            p["allocations"]["beta"] = p["allocations"].pop("alpha")
        cost = self.old["allocations"]["alpha"]["cost"]
        removed, added = self.differences(change)
        self.assertEqual((removed["server"], removed["kind"], removed["costDifference"]),
                         ("alpha", "removed", -cost))
        self.assertEqual((added["server"], added["kind"], added["costDifference"]),
                         ("beta", "added", cost))
        self.assertEqual((removed["newAccelerator"], added["oldAccelerator"]), ("", ""))

    def test_metrics_alone_are_no_change(self):
        def change(p):
            p["allocations"]["alpha"]["itlAverage"] += 1
        self.assertEqual(self.differences(change), [])

    def test_table(self):
        def change(p):
            p["allocations"]["alpha"]["cost"] += 150
            del p["allocations"]["omega"]
        old = self.file("old.json", self.old)
        new = self.file("new.json", changed(self.old, change))
        table = self.expect(COMPLETE, "diff", old, new).stdout
        total = 1.5 - self.old["allocations"]["omega"]["cost"] / 100
        self.assertRegex(table, r"alpha +changed .*\+1\.50\n")
        self.assertRegex(table, r"omega +removed .* nothing ")
        self.assertIn(f"2 servers changed, {total:+.2f} $/hour", table)
        piped = self.expect(COMPLETE, "diff", "-", new, stdin=json.dumps(self.old)).stdout
        self.assertEqual(piped, table)

    def test_no_plan(self):
        path = self.file("plan.json", self.old)
        self.expect(BAD_INPUT, "diff", path, self.file("bad.json", "{}"))


if __name__ == "__main__":
    main()
