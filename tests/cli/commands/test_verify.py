# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Verification: good plans hold, every way of spoiling one is named with its server."""

import json
import pathlib

from support import (BAD_INPUT, COMPLETE, CONFORMANCE, INCOMPLETE, SMALL, CommandTest, changed,
                     fleet, main, part, run)


class Verify(CommandTest):
    def setUp(self):
        super().setUp()
        self.document = fleet()
        self.good = self.plan(self.document)

    def violations(self, plan, document=None):
        """Pairs (server, kind) that verification names."""
        input_file = self.file("fleet.json", document or self.document)
        plan_file = self.file("plan.json", plan)
        result = self.answer(INCOMPLETE, "verify", plan_file, input_file, "--format", "json")
        for violation in result:
            self.assertEqual(set(violation), {"server", "kind", "message"})
            self.assertTrue(violation["message"])
        return {(v["server"], v["kind"]) for v in result}

    def spoiled(self, change):
        return self.violations(changed(self.good, change))

    def expect_kinds(self, change, *kinds, server="alpha"):
        """The change brings these kinds for the server and no other violation of any server."""
        found = {pair for pair in self.spoiled(change) if pair[0] is not None}
        self.assertEqual(found, {(server, kind) for kind in kinds})

    def test_good_plans_hold(self):
        for name, document, options in (("tiny", self.document, []),
                                        ("search", self.document, ["--batch", "search"]),
                                        ("unlimited", self.document, ["--solver", "unlimited"])):
            with self.subTest(name):
                plan = self.file("p.json", self.plan(document, COMPLETE, *options))
                result = self.expect(COMPLETE, "verify", plan, self.file("f.json", document))
                self.assertIn("2 allocations checked", result.stdout)
                self.assertEqual(self.answer(COMPLETE, "verify", plan,
                                             self.file("f.json", document), "--format", "json"),
                                 [])

    def test_saturated_plans_hold_under_every_policy(self):
        with open(SMALL) as file:
            document = json.load(file)
        for policy in ("None", "PriorityExhaustive", "PriorityRoundRobin", "RoundRobin"):
            for delayed in (False, True):
                document["system"]["optimizerData"]["optimizer"].update(
                    {"saturationPolicy": policy, "delayedBestEffort": delayed})
                plan = self.file("p.json", self.plan(document, INCOMPLETE))
                self.expect(COMPLETE, "verify", plan, self.file("f.json", document))

    def test_plan_from_a_pipe(self):
        self.expect(COMPLETE, "verify", "-", self.file("f.json", self.document),
                    stdin=json.dumps(self.good))

    def test_published_form_with_bare_fields_holds(self):
        published = {"allocations": {
            name: {k: a[k] for k in ("accelerator", "numReplicas", "maxBatch", "cost")}
            for name, a in self.good["allocations"].items()}}
        self.expect(COMPLETE, "verify", "-", self.file("f.json", self.document),
                    stdin=json.dumps(published))

    def test_unknown_names(self):
        def server(p):
            p["allocations"]["ghost"] = p["allocations"]["alpha"]

        def accelerator(p):
            p["allocations"]["alpha"]["accelerator"] = "abacus"

        def listed(p):
            p["unallocated"].append({"server": "ghost", "reason": "?"})
        self.assertIn(("ghost", "unknown-server"), self.spoiled(server))
        self.assertIn(("alpha", "unknown-accelerator"), self.spoiled(accelerator))
        self.assertIn(("ghost", "unknown-server"), self.spoiled(listed))

    def test_no_performance_data(self):
        document = changed(self.document, lambda d: part(d, "modelData").pop(
            [m["acc"] for m in part(d, "modelData")].index(
                self.good["allocations"]["alpha"]["accelerator"])))
        self.assertIn(("alpha", "no-perf-data"), self.violations(self.good, document))

    def test_kept_accelerator_changed(self):
        used = self.good["allocations"]["alpha"]["accelerator"]
        other = {"big": "small", "small": "big"}[used]

        def keep(d):
            part(d, "serverData")[0]["keepAccelerator"] = True
            part(d, "serverData")[0]["currentAlloc"]["accelerator"] = other
        self.assertIn(("alpha", "keep-accelerator"),
                      self.violations(self.good, changed(self.document, keep)))

    def test_capacity_exceeded_only_where_it_is_limited(self):
        def none(d):
            for entry in part(d, "capacityData"):
                entry["count"] = 0
        short = changed(self.document, none)
        self.assertIn((None, "capacity"), self.violations(self.good, short))

        def unlimited(d):
            d["system"]["optimizerData"]["optimizer"]["unlimited"] = True
        plan = self.file("p.json", self.plan(changed(short, unlimited)))
        self.expect(COMPLETE, "verify", plan, self.file("f.json", changed(short, unlimited)))

    def test_replica_bounds(self):
        def least(d):
            part(d, "serverData")[0]["minNumReplicas"] = 50

        def most(d):
            part(d, "serverData")[0]["maxNumReplicas"] = 1

        def too_many(p):
            p["allocations"]["alpha"]["numReplicas"] += 5
        self.assertIn(("alpha", "min-replicas"),
                      self.violations(self.good, changed(self.document, least)))
        limited = changed(self.document, most)
        self.assertIn(("alpha", "max-replicas"),
                      self.violations(changed(self.good, too_many), limited))

    def test_batch_above_the_ceiling(self):
        def change(p):
            p["allocations"]["alpha"]["maxBatch"] = 10**6
        self.expect_kinds(change, "batch")

    def test_missed_targets_and_too_few_replicas(self):
        def busier(d):
            part(d, "serverData")[0]["currentAlloc"]["load"]["arrivalRate"] = 50000
        document = changed(self.document, busier)
        plan = self.plan(document, COMPLETE, "--solver", "unlimited")
        plan["allocations"]["alpha"]["numReplicas"] //= 2
        found = self.violations(plan, document)
        self.assertIn(("alpha", "replicas"), found)
        self.assertTrue({("alpha", "itl-target"), ("alpha", "ttft-target")} & found)
        message = self.expect(INCOMPLETE, "verify", "-", self.file("f.json", document),
                              stdin=json.dumps(plan)).stdout
        self.assertRegex(message, r"(ITL|TTFT) is [0-9.e+]+ ms, target [0-9.]+ ms")

    def test_wrong_cost_and_value(self):
        def cost(p):
            p["allocations"]["alpha"]["cost"] *= 1.01

        def value(p):
            p["allocations"]["alpha"]["value"] += 1
        self.expect_kinds(cost, "cost")
        self.expect_kinds(value, "value")

    def test_every_claim_is_checked(self):
        for field in ("itlAverage", "ttftAverage", "respTimeAverage", "rho", "maxRPM", "ttftP50",
                      "ttftP90", "ttftP95", "ttftP99", "powerW", "dropProbability"):
            with self.subTest(field=field):
                def change(p):
                    claimed = p["allocations"]["alpha"]
                    claimed[field] = claimed[field] * 1.02 + 0.01
                self.expect_kinds(change, "claim")

    def test_small_differences_of_claims_are_allowed(self):
        def change(p):
            for allocation in p["allocations"].values():
                for field in ("itlAverage", "ttftAverage", "rho", "maxRPM", "powerW"):
                    allocation[field] *= 1 + 5e-4
        plan = self.file("p.json", changed(self.good, change))
        self.expect(COMPLETE, "verify", plan, self.file("f.json", self.document))

    def test_load_other_than_the_input(self):
        def change(p):
            p["allocations"]["alpha"]["load"]["arrivalRate"] *= 2
        self.expect_kinds(change, "load")

    def test_partial_mark(self):
        def marked(p):
            p["allocations"]["alpha"]["partial"] = True
        self.expect_kinds(marked, "partial")

        def small(d):
            d["system"]["optimizerData"]["optimizer"]["saturationPolicy"] = "PriorityExhaustive"
            part(d, "serverData")[0]["currentAlloc"]["load"]["arrivalRate"] = 90000
        document = changed(self.document, small)
        plan = self.plan(document, INCOMPLETE)
        self.assertTrue(plan["allocations"]["alpha"]["partial"])
        plan["allocations"]["alpha"]["partial"] = False
        self.assertIn(("alpha", "replicas"), self.violations(plan, document))

    def test_servers_neither_allocated_nor_listed(self):
        def forgotten(p):
            del p["allocations"]["alpha"]

        def both(p):
            p["unallocated"].append({"server": "alpha", "reason": "?"})

        def twice(p):
            del p["allocations"]["alpha"]
            p["unallocated"] += [{"server": "alpha", "reason": "?"}] * 2
        self.assertIn(("alpha", "unaccounted"), self.spoiled(forgotten))
        self.assertIn(("alpha", "also-allocated"), self.spoiled(both))
        self.assertIn(("alpha", "duplicate"), self.spoiled(twice))

    def test_empty_allocation_under_load(self):
        def change(p):
            p["allocations"]["alpha"].update(accelerator="", numReplicas=0, maxBatch=0, cost=0)
        self.assertIn(("alpha", "zero-load"), self.spoiled(change))

    def test_allocation_without_a_class(self):
        def change(d):
            part(d, "serverData")[0]["class"] = "nowhere"
        self.assertIn(("alpha", "unplannable"),
                      self.violations(self.good, changed(self.document, change)))

    def test_summary_totals(self):
        used = next(t for t, u in self.good["summary"]["types"].items() if u["used"])
        for path in (["totalCost"], ["totalValue"], ["types", used, "used"],
                     ["types", used, "limit"], ["types", used, "cost"],
                     ["priorities", "1", "served"], ["priorities", "1", "partial"],
                     ["priorities", "1", "unserved"]):
            with self.subTest(path=path):
                def change(p):
                    place = p["summary"]
                    for key in path[:-1]:
                        place = place[key]
                    place[path[-1]] += 1 if isinstance(place[path[-1]], int) else 10
                self.assertEqual(self.spoiled(change), {(None, "summary")})

    def test_table_names_the_violations(self):
        def change(p):
            p["allocations"]["alpha"]["cost"] = 1
        table = self.expect(INCOMPLETE, "verify", self.file("p.json", changed(self.good, change)),
                            self.file("f.json", self.document)).stdout
        self.assertRegex(table, r"alpha +cost +cost is stated as 1, it is [0-9.]+")
        self.assertRegex(table, r"\d+ violations?\n$")

    def test_files_that_are_no_plans(self):
        for text in ("", "[]", "{}", '{"allocations": 7}',
                     '{"allocations": {"alpha": {"accelerator": 7}}}',
                     '{"allocations": {"alpha": {"numReplicas": 1.5}}}'):
            with self.subTest(text=text):
                self.expect(BAD_INPUT, "verify", self.file("p.json", text), SMALL)


def without_figures_of_ties(expected):
    """Where a tie was decided by name, published answers state the other accelerator's figures."""
    allocations = expected["allocations"]
    for pair in expected["candidates"]:
        stated = allocations.get(pair["server"])
        if not stated or stated["accelerator"] != pair["accelerator"] or not pair["numReplicas"]:
            continue
        cost = pair["cost"] * stated["numReplicas"] / pair["numReplicas"]
        if abs(stated["cost"] - cost) > 1e-3 * cost:
            for figure in ("cost", "itlAverage", "ttftAverage"):
                del stated[figure]
    return allocations


class PublishedPlans(CommandTest):
    def test_published_plans_hold_but_for_unmarked_partial_allocations(self):
        if not CONFORMANCE:
            self.skipTest("TONNAGE_CONFORMANCE_DIR is not set")
        cases = sorted((pathlib.Path(CONFORMANCE) / "fleets").glob("*.json"))
        self.assertTrue(cases)
        for path in cases:
            case = json.loads(path.read_text())
            fleet_file = self.file("f.json", {"system": case["system"]})
            plan_file = self.file("p.json", {"allocations": without_figures_of_ties(case["expected"])})
            with self.subTest(path.name):
                unlimited = case["system"]["optimizerData"]["optimizer"].get("unlimited")
                result = run("plan", fleet_file, "--format", "json", "--solver",
                             "unlimited" if unlimited else "greedy")
                ours = json.loads(result.stdout)
                partial = {name for name, a in ours["allocations"].items() if a["partial"]}
                code = INCOMPLETE if partial else COMPLETE
                found = self.answer(code, "verify", plan_file, fleet_file, "--format", "json")
                self.assertEqual({v["server"] for v in found}, partial)


if __name__ == "__main__":
    main()
