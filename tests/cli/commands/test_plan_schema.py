# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Plans that are written are what io/schema/plan.schema.json describes, and nothing else is."""

import json
import pathlib
import sys
import warnings

from support import SMALL, SOURCE, CommandTest, fleet, main, part, run

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is not installed (python3-jsonschema)")
    sys.exit(77)

SMALL_FLEET = pathlib.Path(SMALL).read_text()
SCHEMA = SOURCE / "io" / "schema" / "plan.schema.json"


def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    with warnings.catch_warnings():  # its successor is not in the oldest version supported
        warnings.simplefilter("ignore", DeprecationWarning)
        resolver = jsonschema.RefResolver(SCHEMA.resolve().as_uri(), schema)
    return jsonschema.Draft7Validator(schema, resolver=resolver)


class PlanSchema(CommandTest):
    def check(self, text, *options):
        """Plans with some options, whatever the exit code; the plan, which the schema accepts."""
        result = run("plan", "-", "--format", "json", *options, stdin=text)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        plan = json.loads(result.stdout)
        self.assertEqual([error.message[:200] for error in validator().iter_errors(plan)], [])
        return plan

    def test_every_solver(self):
        for solver in ("unlimited", "greedy", "price"):
            plan = self.check(SMALL_FLEET, "--solver", solver)
            self.assertEqual(plan["summary"]["solver"], solver)
        if "no exact solver" not in run("plan", SMALL, "--solver", "milp").stderr:
            self.check(SMALL_FLEET, "--solver", "milp")

    def test_timing_and_batch_search(self):
        summary = self.check(SMALL_FLEET, "--timing", "--batch", "search")["summary"]
        self.assertIn("timing", summary)
        self.assertIn("batchSearch", summary)

    def test_limits_and_mixes(self):
        document = json.loads(SMALL_FLEET)
        document["system"]["optimizerData"]["optimizer"].update(
            heterogeneous=True, maxCost=7000, maxPower=20000, maxChanges=9, spareReplicas=1)
        summary = self.check(json.dumps(document))["summary"]
        self.assertEqual(set(summary["limits"]), {"maxCost", "maxPower", "maxChanges"})

    def test_generated_fleets(self):
        parts = 0
        for seed in range(1, 6):
            text = self.expect(0, "generate", "--servers", 40, "--seed", seed, "--tightness",
                               0.7).stdout
            self.check(text)
            document = json.loads(text)
            document["system"]["optimizerData"]["optimizer"].update(
                heterogeneous=True, saturationPolicy="RoundRobin")
            plan = self.check(json.dumps(document))
            parts += sum("parts" in allocation for allocation in plan["allocations"].values())
        self.assertGreater(parts, 0)

    def test_empty_fleet_and_missing_capacity(self):
        document = fleet()
        del document["system"]["capacityData"]
        self.check(json.dumps(document))
        part(document, "serverData").clear()
        self.check(json.dumps(document))

    def test_what_is_no_plan_is_refused(self):
        plan = self.check(json.dumps(fleet()))

        def refused(change):
            other = json.loads(json.dumps(plan))
            change(other)
            self.assertFalse(validator().is_valid(other))

        refused(lambda p: p.pop("summary"))
        refused(lambda p: p["summary"].update(solver="other"))
        refused(lambda p: p["summary"].update(unknown=1))
        refused(lambda p: p["allocations"]["alpha"].pop("partial"))
        refused(lambda p: p["allocations"]["alpha"].update(numReplicas=-1))
        refused(lambda p: p["summary"]["stages"][0].update(stage="third"))


if __name__ == "__main__":
    main()
