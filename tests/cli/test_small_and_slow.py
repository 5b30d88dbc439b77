# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Small fleets made to be slow: what a plan takes does not follow the numbers in a file.

Each command may use some processor time, many times what it needs, and is ended beyond it.
"""

import json
import os
import resource
import subprocess
import unittest

from support import BINARY, COMPLETE, INCOMPLETE, SANITIZED, CommandTest, main


def wide_fleet(accelerators, servers, types, optimizer, cards=50, largest_batch=64, rate=1e5,
               replicas=1):
    """Accelerators alike but for a step in cost and speed, shared out over some types."""
    return {"system": {
        "acceleratorData": {"accelerators": [
            {"name": f"a{i}", "type": f"t{i % types}", "multiplicity": 1, "cost": 100 + i,
             "power": {"idle": 50, "full": 400, "midPower": 300, "midUtil": 0.6}}
            for i in range(accelerators)]},
        "capacityData": {"count": [{"type": f"t{i}", "count": cards} for i in range(types)]},
        "modelData": {"models": [
            {"name": "m", "acc": f"a{i}", "maxBatchSize": largest_batch, "atTokens": 128,
             "perfParms": {"alpha": 8 + 0.1 * i, "beta": 0.03, "gamma": 0.0001}}
            for i in range(accelerators)]},
        "serviceClassData": {"serviceClasses": [
            {"name": "Free", "priority": 1, "modelTargets": [{"model": "m"}]}]},
        "serverData": {"servers": [
            {"name": f"s{i}", "model": "m", "minNumReplicas": replicas, "maxQueueSize": 100,
             "currentAlloc": {"load": {"arrivalRate": rate * (1 + 0.01 * i), "avgInTokens": 256,
                                       "avgOutTokens": 128}}}
            for i in range(servers)]},
        "optimizerData": {"optimizer": optimizer}}}


class SmallAndSlow(CommandTest):
    def plan(self, fleet, cpu_seconds):
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))

        path = self.file("fleet.json", fleet)
        result = subprocess.run([BINARY, "plan", path, "--format", "json"], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit,
                                env=os.environ)
        self.assertIn(result.returncode, (COMPLETE, INCOMPLETE),
                      f"ended after {cpu_seconds} s of processor time, or failed: "
                      + result.stderr[-500:])
        return json.loads(result.stdout)

    def test_best_effort_in_turns_with_a_billion_replicas(self):
        cards = 10 ** 9 - 1
        for policy in ("RoundRobin", "PriorityRoundRobin"):
            fleet = wide_fleet(10, 10, 10, {"saturationPolicy": policy}, cards=cards,
                               replicas=10 ** 9)
            plan = self.plan(fleet, cpu_seconds=8)
            granted = [a["numReplicas"] for a in plan["allocations"].values()]
            # The servers share the cheapest type, one card each turn; the first has one more.
            self.assertEqual(sum(granted), cards)
            self.assertLessEqual(max(granted) - min(granted), 1)

    def test_mixes_of_two_hundred_accelerators(self):
        plan = self.plan(wide_fleet(200, 2, 200, {"heterogeneous": True}),
                         cpu_seconds=60)
        self.assertEqual(len(plan["allocations"]), 2)

    @unittest.skipIf(SANITIZED, "the sanitizers take ten times the processor time")
    def test_mixes_of_huge_batches_whose_power_counts(self):
        fleet = wide_fleet(20, 10, 20, {"heterogeneous": True, "energyPrice": 10}, rate=1e9,
                           largest_batch=1048576)
        self.plan(fleet, cpu_seconds=50)


if __name__ == "__main__":
    main()
