# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The candidates of a fleet as table, JSON and CSV, and why other pairs are none."""

import csv
import io
import json

from support import BAD_INPUT, COMPLETE, SMALL, CommandTest, changed, fleet, main, part

FIELDS = {"server", "accelerator", "numReplicas", "maxBatch", "cost", "value", "itlAverage",
          "ttftAverage", "respTimeAverage", "maxRPM", "rho", "dropProbability", "ttftP50", "ttftP90", "ttftP95",
          "ttftP99", "powerW"}


class Candidates(CommandTest):
    def candidates(self, document, *options):
        return self.answer(COMPLETE, "candidates", "-", "--format", "json", *options,
                           stdin=json.dumps(document))

    def test_every_feasible_pair_with_its_fields(self):
        found = self.candidates(fleet())
        pairs = [(c["server"], c["accelerator"]) for c in found]
        self.assertEqual(pairs, sorted(pairs))
        self.assertEqual(set(pairs), {(s, a) for s in ("alpha", "omega") for a in ("big", "small")})
        for candidate in found:
            self.assertEqual(set(candidate), FIELDS)

    def test_filters(self):
        for options, expected in ((["--server", "alpha"], 2), (["--accelerator", "big"], 2),
                                  (["--server", "omega", "--accelerator", "small"], 1)):
            self.assertEqual(len(self.candidates(fleet(), *options)), expected)

    def test_unknown_names(self):
        self.assertIn("nobody", self.expect(BAD_INPUT, "candidates", SMALL, "--server",
                                            "nobody").stderr)
        self.assertIn("abacus", self.expect(BAD_INPUT, "candidates", SMALL, "--accelerator",
                                            "abacus").stderr)

    def test_none_found_says_how_to_learn_why(self):
        one = ["candidates", SMALL, "--server", "trading-desk"]
        self.assertIn("--infeasible", self.expect(COMPLETE, *one).stderr)
        self.assertEqual(self.expect(COMPLETE, *one, "--quiet").stderr, "")
        self.assertEqual(self.expect(COMPLETE, *one, "--infeasible").stderr, "")
        self.assertEqual(self.answer(COMPLETE, *one, "--format", "json"), [])

    def test_infeasible_pairs_have_reasons(self):
        def change(d):
            part(d, "serviceClassData")[0]["modelTargets"][0]["slo-itl"] = 12  # small cannot
            server = part(d, "serverData")[1]
            server["keepAccelerator"] = True
            server["currentAlloc"]["accelerator"] = "big"
            part(d, "acceleratorData").append(dict(part(d, "acceleratorData")[0], name="other"))

        document = changed(fleet(), change)
        found = {(c["server"], c["accelerator"]): c for c in
                 self.candidates(document, "--infeasible")}
        self.assertEqual(len(found), 6)
        self.assertRegex(found["alpha", "small"]["reason"], r"ITL is at best [0-9.]+ ms, target 12")
        self.assertIn("kept on another", found["omega", "small"]["reason"])
        self.assertIn("no performance data", found["alpha", "other"]["reason"])
        self.assertNotIn("reason", found["omega", "big"])
        self.assertEqual([c for c in found.values() if "reason" not in c],
                         self.candidates(document))

    def test_csv_says_the_same_as_json(self):
        for option in ([], ["--infeasible"]):
            text = self.expect(COMPLETE, "candidates", SMALL, "--format", "csv", *option).stdout
            rows = list(csv.DictReader(io.StringIO(text), strict=True))
            objects = self.answer(COMPLETE, "candidates", SMALL, "--format", "json", *option)
            self.assertEqual(len(rows), len(objects))
            for row, candidate in zip(rows, objects):
                self.assertNotIn(None, row)  # as many fields as the header
                for field, cell in row.items():
                    expected = candidate.get(field, "")
                    self.assertEqual(cell if isinstance(expected, str) else float(cell), expected)

    def test_csv_quotes(self):
        def change(d):
            part(d, "serverData")[0]["name"] = 'a,"b"\nc'
        text = self.expect(COMPLETE, "candidates", "-", "--format", "csv",
                           stdin=json.dumps(changed(fleet(), change))).stdout
        self.assertIn('a,"b"\nc', {r["server"] for r in csv.DictReader(io.StringIO(text))})

    def test_table(self):
        table = self.expect(COMPLETE, "candidates", SMALL, "--infeasible").stdout
        self.assertIn("ITL is at best", table)
        self.assertEqual(len(table.splitlines()) - 1,
                         len(self.answer(COMPLETE, "candidates", SMALL, "--infeasible", "--format",
                                         "json")))

    def test_undominated_pairs(self):
        document = json.loads(self.expect(COMPLETE, "generate", "--servers", "30", "--seed",
                                          "11").stdout)
        types = {a["name"]: (a["type"], a["multiplicity"])
                 for a in part(document, "acceleratorData")}
        counts = {(p["name"], p["acc"]): max(1, p.get("accCount", 0))
                  for p in part(document, "modelData")}
        models = {s["name"]: s["model"] for s in part(document, "serverData")}

        def need(c):
            if not c["accelerator"]:
                return c["value"], None, 0
            kind, cards = types[c["accelerator"]]
            per_replica = cards * counts[models[c["server"]], c["accelerator"]]
            return c["value"], kind, c["numReplicas"] * per_replica

        def beats(a, b):
            (value, kind, cards), (other_value, other_kind, other_cards) = need(a), need(b)
            return (value <= other_value and (cards == 0 or kind == other_kind)
                    and cards <= other_cards and (value, cards) != (other_value, other_cards))

        every = self.candidates(document)
        kept = self.candidates(document, "--undominated")
        self.assertLess(len(kept), len(every))
        for c in every:
            rivals = [k for k in kept if k["server"] == c["server"]]
            if c in kept:
                self.assertFalse(any(beats(r, c) for r in rivals))
            else:
                self.assertTrue(any(beats(r, c) or need(r) == need(c) for r in rivals))

    def test_agrees_with_the_plan(self):
        plan = self.plan(fleet(), COMPLETE, "--solver", "unlimited")["allocations"]
        best = {}
        for c in self.candidates(fleet()):
            best[c["server"]] = min(best.get(c["server"], c), c, key=lambda x: x["value"])
        for server, candidate in best.items():
            for field in FIELDS - {"server"}:
                self.assertEqual(plan[server][field], candidate[field])


if __name__ == "__main__":
    main()
