# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The table of candidates and the frontiers: shapes, agreement of forms, refusals, interruption."""

import array
import ast
import csv
import io
import json
import os
import pathlib
import resource
import signal
import subprocess
import time
import unittest

from support import BAD_INPUT, BINARY, COMPLETE, FAILED, SANITIZED, SMALL, CommandTest, fleet, main

INDEX = ["server", "accelerator", "maxBatch", "numReplicas"]


def load_npy(path):
    """The numbers of a one-dimensional array, by the rules of the format alone."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    end = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:end].decode())
    assert end % 64 == 0 and not header["fortran_order"]
    code = {"<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B"}[header["descr"]]
    numbers = array.array(code)
    numbers.frombytes(data[end:])
    assert (len(numbers),) == header["shape"]
    return numbers


class Grid(CommandTest):
    def grid(self, *options):
        text = self.expect(COMPLETE, "candidates", "-", "--grid", *options,
                           stdin=json.dumps(fleet())).stdout
        return list(csv.DictReader(io.StringIO(text)))

    def test_shape_follows_the_ranges(self):
        rows = self.grid("--batches", "2:9:3", "--replicas", "4:6")
        self.assertEqual(len(rows), 2 * 2 * 3 * 3)
        self.assertEqual(sorted({int(r["maxBatch"]) for r in rows}), [2, 5, 8])
        self.assertEqual(sorted({int(r["numReplicas"]) for r in rows}), [4, 5, 6])
        one = self.grid("--batches", "7", "--replicas", ":2", "--server", "alpha",
                        "--accelerator", "big")
        self.assertEqual([(r["server"], r["accelerator"], r["maxBatch"], r["numReplicas"])
                          for r in one], [("alpha", "big", "7", "1"), ("alpha", "big", "7", "2")])

    def test_least_feasible_replicas_are_those_of_the_candidates(self):
        document = self.file("fleet.json", fleet())
        for pair in self.answer(COMPLETE, "candidates", document, "--format", "json"):
            rows = self.grid("--server", pair["server"], "--accelerator", pair["accelerator"],
                             "--batches", str(pair["maxBatch"]))
            feasible = [r for r in rows if r["verdict"] == "feasible"]
            self.assertEqual(int(feasible[0]["numReplicas"]), pair["numReplicas"])
            self.assertEqual(float(feasible[0]["cost"]), pair["cost"])
            self.assertClose(float(feasible[0]["itlAverage"]), pair["itlAverage"], 1e-9)
            self.assertClose(float(feasible[0]["ttftAverage"]), pair["ttftAverage"], 1e-9)
            self.assertClose(float(feasible[0]["powerW"]), pair["powerW"], 1e-9)

    def test_arrays_hold_what_the_rows_hold(self):
        folder = self.folder / "grid"
        self.expect(COMPLETE, "candidates", SMALL, "--grid", "--format", "npy", "--percentiles",
                    "--replicas", "1:9", "-o", folder)
        text = self.expect(COMPLETE, "candidates", SMALL, "--grid", "--percentiles",
                           "--replicas", "1:9").stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual(manifest["candidates"], len(rows))
        verdicts = {v["value"]: v["name"] for v in manifest["verdicts"]}
        for field in manifest["fields"]:
            numbers = load_npy(folder / field["file"])
            self.assertEqual(len(numbers), len(rows))
            for number, row in zip(numbers, rows):
                if field["name"] == "verdict":
                    self.assertEqual(verdicts[number], row["verdict"])
                else:
                    self.assertEqual(number, float(row[field["name"]]))
        with open(folder / "lines.csv") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(manifest["lines"], len(lines))
        for line in lines:
            first = rows[int(line["offset"])]
            self.assertEqual((first["server"], first["accelerator"], first["maxBatch"]),
                             (line["server"], line["accelerator"], line["firstBatch"]))

    def test_same_bytes_for_any_threads_and_memory(self):
        def text(*options):
            return self.expect(COMPLETE, "candidates", SMALL, "--grid", "--replicas", "1:20",
                               *options).stdout
        self.assertEqual(text("--threads", "1"), text("--threads", "7", "--memory", "1K"))

    @unittest.skipIf(SANITIZED, "the sanitizers need more memory")
    def test_memory_does_not_grow_with_the_grid(self):
        # The columns of one batch size alone would take 190 MB.
        limit = 100 << 20
        run = subprocess.run(
            [BINARY, "candidates", "-", "--grid", "--server", "alpha", "--accelerator", "big",
             "--batches", "3:4", "--replicas", "1:2000000", "--fields", "cost", "--memory", "32M",
             "--threads", "2"], input=json.dumps(fleet()).encode(), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=120,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        self.assertEqual(run.returncode, COMPLETE, run.stderr)
        self.assertIn(b"4000000 candidates of 1 pair,", run.stderr)

    @unittest.skipIf(SANITIZED, "the sanitizers need more memory")
    def test_a_million_million_candidates_stream_through_a_gibibyte(self):
        limit = 1 << 30
        process = subprocess.Popen(
            [BINARY, "candidates", str(SMALL), "--grid", "--replicas", "1:1000000000",
             "--fields", "cost", "--memory", "256M", "--threads", "2"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        for _ in range(1 << 8):  # 256 MB of it
            self.assertEqual(len(process.stdout.read(1 << 20)), 1 << 20)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGTERM, said)

    def test_chosen_fields(self):
        rows = self.grid("--fields", "ttftP99,cost", "--batches", "3", "--replicas", "2:3")
        self.assertEqual(list(rows[0]), INDEX + ["cost", "ttftP99"])
        folder = self.folder / "few"
        self.expect(COMPLETE, "candidates", SMALL, "--grid", "--fields", "rho", "--format", "npy",
                    "--replicas", "1:2", "-o", folder)
        self.assertEqual(sorted(os.listdir(folder)), ["lines.csv", "manifest.json", "rho.npy"])

    def test_refusals(self):
        for options, words in (
                (["--batches", "9:2"], "--batches"), (["--batches", "0:2"], "--batches"),
                (["--replicas", "a"], "--replicas"), (["--replicas", "1:2:0"], "--replicas"),
                (["--replicas", "1:2:3:4"], "--replicas"),
                (["--replicas", "99999999999999999999"], "--replicas"),
                (["--fields", "cots"], 'did you mean "cost"'), (["--fields", ""], "empty"),
                (["--memory", "lots"], "--memory"), (["--memory", "0"], "--memory"),
                (["--format", "json"], "csv or npy"), (["--format", "npy"], "--output"),
                (["--server", "alpa"], 'did you mean "alpha"')):
            with self.subTest(options=options):
                run = self.expect(BAD_INPUT, "candidates", "-", "--grid", *options,
                                  stdin=json.dumps(fleet()))
                self.assertIn(words, run.stderr)
                self.assertEqual(run.stdout, "")
        for options in (["--batches", "1:2"], ["--format", "npy"], ["--percentiles"]):
            self.expect(BAD_INPUT, "candidates", SMALL, *options)

    def test_folders_are_replaced_only_where_they_are_grids(self):
        folder = self.folder / "grid"
        arguments = ("candidates", SMALL, "--grid", "--replicas", "1:2", "--format", "npy", "-o",
                     folder)
        self.expect(COMPLETE, *arguments)
        self.expect(COMPLETE, *arguments)
        (folder / "rho.npy").rename(self.folder / "rho.npy")
        self.assertIn("rho.npy", self.expect(BAD_INPUT, *arguments).stderr)  # not whole
        (self.folder / "rho.npy").rename(folder / "rho.npy")
        self.expect(COMPLETE, *arguments)
        mine = self.folder / "mine"
        mine.mkdir()
        (mine / "thesis.txt").write_text("precious")
        manifest = (folder / "manifest.json").read_text()
        for text in (None, "", "{}", '{"format": "tonnage candidates"}', manifest, manifest + "\0",
                     manifest.replace('"rho.npy"', '"thesis.txt"'),
                     manifest.replace('"formatVersion": 1', '"formatVersion": 2')):
            with self.subTest(text=text):
                if text is not None:
                    (mine / "manifest.json").write_text(text)
                before = sorted(os.listdir(mine))
                self.assertIn(str(mine), self.expect(BAD_INPUT, *arguments[:-1], mine).stderr)
                self.assertEqual(sorted(os.listdir(mine)), before)
                self.assertEqual((mine / "thesis.txt").read_text(), "precious")
        beside = folder / "notes.txt"
        beside.write_text("precious")
        self.assertIn("notes.txt", self.expect(BAD_INPUT, *arguments).stderr)
        self.assertEqual(beside.read_text(), "precious")
        self.expect(FAILED, *arguments[:-1], self.folder / "nowhere" / "grid")
        self.assertEqual(sorted(os.listdir(self.folder)), ["grid", "mine"])

    def test_folders_are_written_through_links(self):
        folder, link = self.folder / "grid", self.folder / "link"
        link.symlink_to("grid")
        for replicas in ("1:2", "1:3"):  # dangling, then not
            self.expect(COMPLETE, "candidates", SMALL, "--grid", "--replicas", replicas,
                        "--format", "npy", "-o", link)
            self.assertTrue(link.is_symlink())
            numbers = load_npy(folder / "numReplicas.npy")
            self.assertEqual(max(numbers), int(replicas[-1]))
        self.assertEqual(sorted(os.listdir(self.folder)), ["grid", "link"])

    def test_interruption_leaves_nothing(self):
        big = self.folder / "big.json"
        self.expect(COMPLETE, "generate", "--servers", "2000", "-o", big)
        for form, stop in (("npy", signal.SIGINT), ("csv", signal.SIGTERM)):
            with self.subTest(form=form):
                process = subprocess.Popen(
                    [BINARY, "candidates", str(big), "--grid", "--format", form, "--replicas",
                     "1:50", "--batches", "::8", "-o", str(self.folder / "grid")],
                    stderr=subprocess.PIPE)
                deadline = time.monotonic() + 60
                while len(os.listdir(self.folder)) < 2 and time.monotonic() < deadline:
                    time.sleep(0.01)
                process.send_signal(stop)
                process.communicate(timeout=60)
                self.assertEqual(process.returncode, -stop)
                self.assertEqual(os.listdir(self.folder), ["big.json"])


class Pareto(CommandTest):
    def test_points_are_candidates_and_none_beats_another(self):
        document = self.file("fleet.json", fleet())
        frontiers = self.answer(COMPLETE, "pareto", document, "--format", "json", "--within", "0")
        self.assertEqual(sorted(frontiers), ["alpha", "omega"])
        cheapest = min(c["cost"] for c in self.answer(COMPLETE, "candidates", document, "--format",
                                                      "json", "--server", "alpha"))
        points = frontiers["alpha"]
        self.assertLessEqual(points[0]["cost"], cheapest)
        keys = [(p["cost"], p["ttft"], p["itlAverage"]) for p in points]
        self.assertEqual(keys, sorted(keys))
        for a in keys[:100]:
            for b in keys[:100]:
                self.assertFalse(a != b and all(x <= y for x, y in zip(a, b)))
        self.assertTrue(all(p["verdict"] == "feasible" for p in points))

    def test_targets_may_be_ignored(self):
        document = self.file("fleet.json", fleet())
        arguments = ("pareto", document, "--server", "alpha", "--format", "json", "--replicas",
                     "1:30")
        held = self.answer(COMPLETE, *arguments)["alpha"]
        free = self.answer(COMPLETE, *arguments, "--ignore-targets", "--ttft", "p99")["alpha"]
        self.assertLess(free[0]["cost"], held[0]["cost"])
        self.assertNotEqual(free[0]["verdict"], "feasible")

    def test_table_and_csv(self):
        table = self.expect(COMPLETE, "pareto", SMALL, "--replicas", "1:4", "--ttft", "p95").stdout
        self.assertIn("TTFT p95 ms", table)
        rows = self.expect(COMPLETE, "pareto", SMALL, "--replicas", "1:4", "--format",
                           "csv").stdout.splitlines()
        self.assertTrue(rows[0].startswith("server,accelerator,maxBatch,numReplicas,cost"))
        self.expect(BAD_INPUT, "pareto", SMALL, "--server", "nobody")
        self.expect(BAD_INPUT, "pareto", SMALL, "--replicas", "5:1")


if __name__ == "__main__":
    main()
