#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that the JSON schemas and the reader accept and refuse the same documents.

Generates fleets and solutions, mutates most of them (members removed, values replaced), and compares
the verdict of the schemas with that of the reader. What a schema cannot say is avoided: names given
twice, keys in another case, batch ceilings that follow from several values.

Usage: schema_agreement.py VERDICTS_PROGRAM SCHEMA_FOLDER
Exit codes: 0 agreement, 1 disagreement, 77 skipped (no jsonschema package).
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from seed import test_seed  # noqa: E402

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is not installed (python3-jsonschema)")
    sys.exit(77)

SECTIONS = {
    "acceleratorData": "accelerator-data",
    "capacityData": "capacity-data",
    "modelData": "model-data",
    "serviceClassData": "serviceclass-data",
    "serverData": "server-data",
    "optimizerData": "optimizer-data",
}
NAMES = ("name", "type", "model", "accelerator")  # the first that an entry has is its name
OPTIONAL_SECTIONS = ("capacityData", "optimizerData")
DOCUMENTS = 600


class Generator:
    """Valid fleets with every field sometimes absent."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, members):
        return {key: value for key, value in members.items() if self.rng.random() < 0.7}

    def number(self, largest=1000.0):
        pick = self.rng.randrange(4)
        if pick == 0:
            return 0
        if pick == 1:
            return self.rng.randint(0, int(largest))
        return self.rng.uniform(0, largest)

    def integer(self, largest=1000):
        value = self.rng.choice([0, 1, largest, self.rng.randint(0, largest)])
        return float(value) if self.rng.random() < 0.1 else value

    def power(self):
        if self.rng.random() < 0.3:
            return self.maybe({"idle": 0, "full": 0.0, "midPower": 0, "midUtil": 0})
        members = self.maybe({"idle": self.number(), "full": self.number(),
                              "midPower": self.number()})
        return {**members, "midUtil": self.rng.uniform(0.01, 0.99)}

    def load(self):
        return {"arrivalRate": self.rng.choice([self.number(), 10**12]),
                "avgInTokens": self.integer(10**9),
                "avgOutTokens": self.rng.randint(1, 10**6),
                **self.maybe({"throughput": self.number()})}

    def parts(self):
        if self.rng.random() < 0.5:
            return []
        return [{"accelerator": name, "numReplicas": self.rng.randint(1, 10**9),
                 **self.maybe({"maxBatch": self.integer(1048576), "cost": self.number(),
                               "share": 0.5})} for name in ("acc-0", "acc-1")]

    def allocation(self):
        return self.maybe({"accelerator": self.rng.choice(["", "acc-0", "elsewhere"]),
                           "numReplicas": self.integer(10**9), "maxBatch": self.integer(1048576),
                           "cost": self.number(), "itlAverage": self.number(),
                           "ttftAverage": self.number(), "parts": self.parts()})

    def system(self):
        rng = self.rng
        counts = range(rng.randint(0, 3))
        accelerators = [{"name": f"acc-{i}", "type": rng.choice(["A", "B"]),
                         "multiplicity": rng.choice([1, 2.0, 10**9]), "cost": self.number(),
                         **self.maybe({"memSize": self.number(), "memBW": self.number(),
                                       "power": self.power()})} for i in counts]
        models = [{"name": f"model-{i}", "acc": f"acc-{i}",
                   "perfParms": self.maybe({"alpha": self.number(), "beta": self.number(),
                                            "gamma": self.number()}),
                   **self.maybe({"accCount": self.integer(10**9), "maxBatchSize": self.integer(),
                                 "atTokens": self.integer(1000),
                                 "maxNumTokens": self.integer(10**9)})} for i in counts]
        classes = [{"name": f"class-{i}",
                    **self.maybe({"priority": rng.choice([-5, 0, 1, 50.0, 100, 101, 10**30]),
                                  "excludedAccelerators": rng.choice([[], ["acc-0"]]),
                                  "modelTargets": [
                                      {"model": f"model-{j}",
                                       **self.maybe({"slo-itl": self.number(),
                                                     "slo-ttft": self.number(),
                                                     "slo-tps": self.number(),
                                                     "slo-ttft-percentile":
                                                         rng.choice([0, 50, 95, 99.9]),
                                                     "slo-e2e": self.number(),
                                                     "slo-drop": rng.choice([0, 1e-15, 0.999])})}
                                      for j in counts]})} for i in counts]
        servers = [{"name": f"server-{i}", "model": f"model-{i}",
                    "currentAlloc": {**self.allocation(), "load": self.load()},
                    **self.maybe({"class": rng.choice(["", f"class-{i}"]),
                                  "keepAccelerator": rng.random() < 0.5,
                                  "excludedAccelerators": rng.choice([[], ["acc-0", "none"]]),
                                  "minNumReplicas": self.integer(10**9),
                                  "maxNumReplicas": self.integer(10**9),
                                  "maxBatchSize": self.integer(1048576),
                                  "maxQueueSize": self.integer(10**6),
                                  "maxNumTokens": self.integer(10**9),
                                  "desiredAlloc": rng.choice([None, 3, self.allocation()])})}
                   for i in counts]
        optimizer = self.maybe({"unlimited": rng.random() < 0.5, "heterogeneous": rng.random() < 0.5,
                                "milpSolver": True, "useCplex": True, "delayedBestEffort": True,
                                "saturationPolicy": rng.choice(
                                    ["None", "PriorityExhaustive", "PriorityRoundRobin",
                                     "RoundRobin"]),
                                "headroom": rng.choice([0, 0.5, 0.99]),
                                "spareReplicas": self.integer(10**6),
                                "transitionFactor": rng.choice([0, 1, 2.5, 10**6]),
                                "energyPrice": self.number(), "pue": rng.choice([1, 1.4, 10]),
                                "maxCost": self.number(), "maxPower": self.number(),
                                "maxChanges": self.integer(10**9)})
        capacity = [{"type": t, "count": self.integer(10**9)} for t in ("A", "B")]
        system = {"acceleratorData": {"accelerators": accelerators},
                  "modelData": {"models": models},
                  "serviceClassData": {"serviceClasses": classes},
                  "serverData": {"servers": servers}}
        system.update(self.maybe({"capacityData": {"count": capacity},
                                  "optimizerData": {"optimizer": optimizer}}))
        return system

    def solution(self):
        return {"allocations": {f"server-{i}": {**self.allocation(),
                                                **self.maybe({"load": self.load()}), "rho": 0.5}
                                for i in range(self.rng.randint(0, 3))}}


def places(value, found):
    """Every (container, key) of the document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        found.append((value, key))
        if isinstance(child, (dict, list)):
            places(child, found)
    return found


def mutate(document, rng):
    for _ in range(rng.choice([1, 1, 2])):
        candidates = places(document, [])
        if not candidates:
            return
        container, key = rng.choice(candidates)
        action = rng.randrange(6)
        if action == 0 and isinstance(container, dict):
            del container[key]
        elif action == 1 and isinstance(container, dict):
            container["unknownMember"] = rng.choice([None, 1, [], {}])
        elif action == 2 and isinstance(container[key], (int, float)):
            # Limits and the values next to them, except where ceilings are derived from.
            near = [-1, -1e-9, 0, 0.5, 1, 1.5]
            if key not in ("atTokens", "avgOutTokens"):
                near += [1000000, 1000001, 1048576, 1048577, 10**9, 10**9 + 1, 1e12, 1.0001e12, 2**63]
            container[key] = rng.choice(near)
        else:
            container[key] = rng.choice([None, True, 3, -3, 0.5, "", "text", [], {}, [1], {"a": 1}])


def derived_ceilings_within_limit(system):
    """False where the reader refuses a batch ceiling that follows from several values."""
    try:
        models = system["modelData"]["models"]
        data = max([m.get("maxBatchSize", 0) * m.get("atTokens", 0) for m in models], default=0)
        servers = system["serverData"]["servers"]
        return all(data <= 1048576 * s["currentAlloc"]["load"]["avgOutTokens"] for s in servers)
    except (KeyError, TypeError, AttributeError):
        return True  # refused by both for what is missing or of the wrong type


def twins(value):
    """Whether a list holds two entries of one name."""
    if isinstance(value, dict):
        return any(twins(child) for child in value.values())
    if not isinstance(value, list):
        return False
    names = [repr((next((entry[key] for key in NAMES if key in entry), None), entry.get("acc")))
             for entry in value if isinstance(entry, dict)]
    return len(set(names)) < len(names) or any(twins(child) for child in value)


class Schemas:
    def __init__(self, folder):
        self.validators = {}
        for path in sorted(folder.glob("*.schema.json")):
            schema = json.loads(path.read_text())
            jsonschema.Draft7Validator.check_schema(schema)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                resolver = jsonschema.RefResolver(path.resolve().as_uri(), schema)
            name = path.name.removesuffix(".schema.json")
            self.validators[name] = jsonschema.Draft7Validator(schema, resolver=resolver)

    def problem(self, name, document):
        error = next(self.validators[name].iter_errors(document), None)
        return None if error is None else f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"


def write_folder(folder, system):
    folder.mkdir()
    for key, name in SECTIONS.items():
        if key in system:
            (folder / f"{name}.json").write_text(json.dumps(system[key]))


def make_case(kind, index, generator, rng, folder, schemas):
    """Writes one document; returns its name and what the schemas have against it."""
    name = f"{kind}-{index:04d}"
    path = folder / name
    document = {"combined": lambda: {"system": generator.system()}, "folder": generator.system,
                "solution": generator.solution}[kind]()
    if rng.random() < 0.8:
        mutate(document, rng)
    system = document if kind == "folder" else document.get("system")
    if twins(document) or kind != "solution" and not derived_ceilings_within_limit(system):
        return None
    if kind == "folder":
        write_folder(path, document)
        problems = [schemas.problem(SECTIONS[key], value) for key, value in document.items()
                    if key in SECTIONS]
        problems += [f"no {key}" for key in SECTIONS
                     if key not in document and key not in OPTIONAL_SECTIONS]
        return name, next(filter(None, problems), None)
    path.write_text(json.dumps(document))
    return name, schemas.problem("system" if kind == "combined" else "solution", document)


def main():
    program, schema_folder = sys.argv[1], pathlib.Path(sys.argv[2])
    rng = random.Random(test_seed(63))
    generator = Generator(rng)
    schemas = Schemas(schema_folder)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cases = {}
        for index in range(DOCUMENTS):
            kind = rng.choice(["combined", "combined", "folder", "solution"])
            case = make_case(kind, index, generator, rng, folder, schemas)
            if case:
                cases[case[0]] = case[1]
        output = subprocess.run([program, str(folder)], check=True, capture_output=True, text=True)
        verdicts = dict(line.split(" ", 1) for line in output.stdout.splitlines())
        disagreements = 0
        for name, problem in cases.items():
            accepted = verdicts[name].startswith("accept")
            if accepted == (problem is None):
                continue
            disagreements += 1
            path = folder / name
            files = sorted(path.iterdir()) if path.is_dir() else [path]
            print(f"{name}: schema: {problem or 'accepts'}; reader: {verdicts[name]}")
            print("".join(file.read_text() + "\n" for file in files))
    refused = sum(problem is not None for problem in cases.values())
    print(f"{len(cases)} documents, {refused} refused by the schemas, {disagreements} disagreements")
    if not 0.1 * len(cases) < refused < 0.9 * len(cases):
        print("the documents are of one kind only: the test says nothing")
        return 1
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
