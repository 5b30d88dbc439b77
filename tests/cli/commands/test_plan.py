# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Plans as JSON and as tables: fields, totals, reasons, determinism, exit codes."""

import json
import random
import re

from support import (BAD_INPUT, COMPLETE, FAILED, INCOMPLETE, SMALL, CommandTest, changed, fleet,
                     main, part, run, test_seed)

PUBLISHED = {"accelerator", "numReplicas", "maxBatch", "cost", "itlAverage", "ttftAverage", "load"}
OURS = {"value", "respTimeAverage", "rho", "maxRPM", "dropProbability", "ttftP50", "ttftP90",
        "ttftP95", "ttftP99", "powerW", "partial"}


def cards(document, count):
    """The fleet with that many cards of every type."""
    def change(d):
        for entry in part(d, "capacityData"):
            entry["count"] = count
    return changed(document, change)


class Json(CommandTest):
    def test_fields(self):
        plan = self.plan(fleet())
        self.assertEqual(set(plan), {"allocations", "unallocated", "summary"})
        self.assertEqual(set(plan["allocations"]), {"alpha", "omega"})
        for allocation in plan["allocations"].values():
            self.assertEqual(set(allocation), PUBLISHED | OURS)
            self.assertIs(type(allocation["partial"]), bool)
            self.assertLessEqual(allocation["ttftP50"], allocation["ttftP90"])
            self.assertLessEqual(allocation["ttftP90"], allocation["ttftP99"])
        self.assertEqual(plan["unallocated"], [])

    def test_summary_adds_up(self):
        with open(SMALL) as file:
            document = json.load(file)
        plan = self.plan(document, INCOMPLETE)
        summary, allocations = plan["summary"], plan["allocations"]
        self.assertClose(summary["totalCost"], sum(a["cost"] for a in allocations.values()), 1e-12)
        self.assertClose(summary["totalCost"], sum(t["cost"] for t in summary["types"].values()),
                         1e-12)
        self.assertClose(summary["totalValue"], sum(a["value"] for a in allocations.values()), 1e-9)
        limits = {c["type"]: c["count"] for c in part(document, "capacityData")}
        for name, usage in summary["types"].items():
            self.assertEqual(set(usage), {"used", "limit", "cost", "price"})
            self.assertEqual(usage["limit"], limits.get(name))
            self.assertLessEqual(usage["used"], limits.get(name, 0))
        groups = summary["priorities"].values()
        self.assertEqual(sum(g["served"] + g["partial"] for g in groups), len(allocations))
        self.assertEqual(sum(g["partial"] for g in groups),
                         sum(a["partial"] for a in allocations.values()))
        self.assertEqual(sum(g["unserved"] for g in groups), len(plan["unallocated"]))
        servers = {s["name"] for s in part(document, "serverData")}
        self.assertEqual(set(allocations) | {u["server"] for u in plan["unallocated"]}, servers)
        self.assertEqual(summary["solver"], "price")
        for field in ("backend", "version"):
            self.assertTrue(summary[field])

    def test_load_is_passed_through(self):
        def change(d):
            part(d, "serverData")[0]["currentAlloc"]["load"]["throughput"] = 123.456789
        document = changed(fleet(), change)
        self.assertEqual(self.plan(document)["allocations"]["alpha"]["load"],
                         part(document, "serverData")[0]["currentAlloc"]["load"])

    def test_timing_only_on_request(self):
        self.assertNotIn("timing", self.plan(fleet())["summary"])
        timing = self.plan(fleet(), COMPLETE, "--timing")["summary"]["timing"]
        self.assertTrue(all(seconds >= 0 for seconds in timing.values()) and timing)

    def test_zero_load_gives_the_empty_allocation(self):
        def change(d):
            server = part(d, "serverData")[1]
            server["minNumReplicas"] = 0
            server["currentAlloc"]["load"]["arrivalRate"] = 0
        empty = self.plan(changed(fleet(), change))["allocations"]["omega"]
        self.assertEqual((empty["accelerator"], empty["numReplicas"], empty["cost"]), ("", 0, 0))
        self.assertFalse(empty["partial"])

    def test_batch_search_is_never_dearer(self):
        plain = self.plan(fleet(), COMPLETE, "--solver", "unlimited")
        search = self.plan(fleet(), COMPLETE, "--solver", "unlimited", "--batch", "search")
        self.assertLessEqual(search["summary"]["totalCost"], plain["summary"]["totalCost"])


class Determinism(CommandTest):
    def test_same_bytes_for_any_threads_and_any_order(self):
        seed = test_seed()
        fleet_file = self.folder / "fleet.json"
        self.expect(COMPLETE, "generate", "--servers", "300", "--seed", seed, "--tightness", "0.8",
                    "-o", fleet_file)
        document = json.loads(fleet_file.read_text())

        def text(*options, stdin=None):
            result = self.expect(INCOMPLETE, "plan", fleet_file if stdin is None else "-",
                                 "--format", "json", *options, stdin=stdin or "")
            return result.stdout

        expected = text()
        for threads in (1, 2, 7):
            self.assertEqual(text("--threads", threads), expected)
        for command in (["plan", "--all"], ["plan", "--batch", "search"], ["candidates"],
                        ["candidates", "--format", "csv", "--infeasible"]):
            answers = {(r.returncode, r.stdout, r.stderr) for r in
                       (run(*command, fleet_file, "--threads", n) for n in (0, 1, 2, 7))}
            self.assertEqual(len(answers), 1, command)
        generator = random.Random(seed)
        for section in document["system"]:
            if section != "optimizerData":
                generator.shuffle(part(document, section))
        self.assertEqual(text(stdin=json.dumps(document)), expected)


class Outcomes(CommandTest):
    def test_all_allocated(self):
        self.plan(fleet(), COMPLETE)

    def test_no_capacity_says_what_was_needed(self):
        plan = self.plan(cards(fleet(), 0), INCOMPLETE)
        self.assertEqual(plan["allocations"], {})
        for left in plan["unallocated"]:
            self.assertEqual(set(left), {"server", "reason"})
            self.assertIn("not enough cards", left["reason"])

    def test_unlimited_ignores_capacity(self):
        document = cards(fleet(), 0)
        self.assertEqual(len(self.plan(document, COMPLETE, "--solver", "unlimited")["allocations"]),
                         2)
        part_of = document["system"]["optimizerData"]["optimizer"]
        part_of["unlimited"] = True
        self.assertEqual(self.plan(document)["summary"]["solver"], "unlimited")
        self.plan(document, INCOMPLETE, "--solver", "greedy")

    def test_partial_allocations_are_marked(self):
        document = cards(fleet(), 1)
        document["system"]["optimizerData"]["optimizer"]["saturationPolicy"] = "PriorityExhaustive"
        part(document, "serverData")[0]["currentAlloc"]["load"]["arrivalRate"] = 90000
        greedy = "--solver", "greedy"
        plan = self.plan(document, INCOMPLETE, *greedy)
        self.assertTrue(plan["allocations"]["alpha"]["partial"])
        self.assertGreater(plan["allocations"]["alpha"]["dropProbability"], 0)
        table = self.expect(INCOMPLETE, "plan", "-", *greedy, stdin=json.dumps(document)).stdout
        self.assertIn("partial, needs", table)

    def test_unreachable_target_is_named_with_the_best_value(self):
        def change(d):
            part(d, "serviceClassData")[0]["modelTargets"][0]["slo-itl"] = 1
        reason = self.plan(changed(fleet(), change), INCOMPLETE)["unallocated"][0]["reason"]
        self.assertRegex(reason, r"ITL is at best [0-9.]+ ms, target 1 ms")

    def test_dangling_references_leave_the_server_out(self):
        def unknown_class(d):
            part(d, "serverData")[0]["class"] = "platinum"

        def unknown_model(d):
            part(d, "serverData")[0]["model"] = "nope"

        for change, name in ((unknown_class, "platinum"), (unknown_model, "nope")):
            plan = self.plan(changed(fleet(), change), INCOMPLETE)
            self.assertIn(name, plan["unallocated"][0]["reason"])
            self.assertEqual(list(plan["allocations"]), ["omega"])

    def test_bad_numbers_are_refused_all_at_once(self):
        document = fleet()
        part(document, "serverData")[0]["minNumReplicas"] = -1
        part(document, "acceleratorData")[1]["cost"] = "cheap"
        result = self.expect(BAD_INPUT, "plan", "-", stdin=json.dumps(document))
        self.assertEqual(result.stdout, "")
        self.assertIn("/system/serverData/servers/0/minNumReplicas", result.stderr)
        self.assertIn("/system/acceleratorData/accelerators/1/cost", result.stderr)

    def test_unusable_backend_fails(self):
        for line in self.expect(COMPLETE, "backends").stdout.splitlines()[1:]:
            name, usable = line.split()[:2]
            expected = INCOMPLETE if usable == "yes" else FAILED
            self.expect(expected, "plan", SMALL, "--backend", name)
            self.expect(expected, "plan", SMALL, environment={"TONNAGE_BACKEND": name})


class Table(CommandTest):
    def test_shows_what_was_chosen_against_which_targets(self):
        table = self.expect(COMPLETE, "plan", "-", stdin=json.dumps(fleet())).stdout
        row = next(line for line in table.splitlines() if line.startswith("alpha"))
        allocation = self.plan(fleet())["allocations"]["alpha"]
        self.assertIn(f"{allocation['numReplicas']} x {allocation['accelerator']}", row)
        for field, target in (("itlAverage", "20"), ("ttftAverage", "500")):
            shown = re.search(rf"([0-9.]+)/{target}\b", row)
            self.assertTrue(shown, row)
            self.assertClose(float(shown[1]), allocation[field], 5e-3)
        self.assertRegex(table, r"total [0-9.]+ \$/hour")

    def test_unserved_with_reason_in_table(self):
        table = self.expect(INCOMPLETE, "plan", "-", stdin=json.dumps(cards(fleet(), 0))).stdout
        self.assertIn("not served", table)
        self.assertIn("not enough cards", table)

    def test_long_tables_are_cut_unless_all_is_asked(self):
        big = self.folder / "big.json"
        self.expect(COMPLETE, "generate", "--servers", "100", "-o", big)
        cut = self.expect(COMPLETE, "plan", big).stdout
        self.assertIn("... and 60 more", cut)
        whole = self.expect(COMPLETE, "plan", big, "--all").stdout
        self.assertNotIn("more (", whole)
        self.assertEqual(len(whole.splitlines()) - len(cut.splitlines()), 59)

    def test_names_cannot_move_the_cursor(self):
        def change(d):
            part(d, "serverData")[0]["name"] = "evil\x1b[2J\nname"
        table = self.expect(COMPLETE, "plan", "-", stdin=json.dumps(changed(fleet(), change)))
        self.assertNotIn("\x1b", table.stdout)


def extended(document, targets):
    """The fleet with further targets in every class."""
    def change(d):
        for service_class in part(d, "serviceClassData"):
            for target in service_class["modelTargets"]:
                target.update(targets)
    return changed(document, change)


class ExtendedTargets(CommandTest):
    """Targets on a percentile of TTFT, on response time and on drops enter every path."""

    TARGETS = {"slo-ttft-percentile": 99, "slo-e2e": 1400, "slo-drop": 1e-9}

    def loaded(self):
        def change(d):
            for server in part(d, "serverData"):
                server["currentAlloc"]["load"]["arrivalRate"] *= 100
                server["maxQueueSize"] = 300
        return cards(changed(fleet(), change), 100000)

    def planned(self, targets, batch):
        document = extended(self.loaded(), targets)
        plan = self.plan(document, COMPLETE, "--batch", batch)
        self.expect(COMPLETE, "verify", self.file("plan.json", plan),
                    self.file("fleet.json", document))
        return plan

    def test_each_may_cost_and_none_is_free(self):
        for batch in ("max", "search"):
            plain = self.planned({}, batch)["summary"]["totalCost"]
            together = self.planned(self.TARGETS, batch)["summary"]["totalCost"]
            for name, value in self.TARGETS.items():
                with self.subTest(batch=batch, target=name):
                    alone = self.planned({name: value}, batch)["summary"]["totalCost"]
                    self.assertGreater(alone, plain)
                    self.assertGreaterEqual(together, alone)

    def test_the_plan_keeps_them(self):
        for allocation in self.planned(self.TARGETS, "search")["allocations"].values():
            self.assertLessEqual(allocation["respTimeAverage"], 1400 * (1 + 1e-6))
            self.assertLessEqual(allocation["dropProbability"], 1e-9 * (1 + 1e-6))

    def test_one_that_cannot_be_met_is_named(self):
        plan = self.plan(extended(fleet(), {"slo-e2e": 1}), INCOMPLETE)
        self.assertIn("response time is at best", plan["unallocated"][0]["reason"])


class PriceSolver(CommandTest):
    def test_never_behind_greedy_and_certified(self):
        big = self.folder / "big.json"
        self.expect(COMPLETE, "generate", "--servers", "400", "--tightness", "0.8", "-o", big)

        def plan(solver):
            result = run("plan", big, "--format", "json", "--solver", solver)
            self.assertIn(result.returncode, (COMPLETE, INCOMPLETE))
            self.expect(COMPLETE, "verify", self.file("plan.json", result.stdout), big)
            return json.loads(result.stdout)

        price, greedy = plan("price"), plan("greedy")
        self.assertNotIn("stages", greedy["summary"])
        self.assertLess(len(price["unallocated"]), len(greedy["unallocated"]))
        stages = price["summary"]["stages"]
        self.assertEqual(stages[-1]["stage"], "value")
        for stage in stages:
            self.assertLessEqual(stage["lowerBound"], stage["objective"] + 1e-6)
        summary = price["summary"]
        self.assertEqual(summary["objective"], stages[-1]["objective"])
        self.assertEqual(summary["lowerBound"], stages[-1]["lowerBound"])
        distance = summary["objective"] - summary["lowerBound"]
        self.assertAlmostEqual(summary["gap"], distance / summary["totalCost"])
        self.assertGreater(summary["iterations"], 0)
        self.assertNotIn("gap", greedy["summary"])
        unserved = sum(s["objective"] for s in stages[:-1])
        self.assertEqual(unserved, len(price["unallocated"]))


if __name__ == "__main__":
    main()
