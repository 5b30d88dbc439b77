# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Standard input, files that appear whole or not at all, full disks, closed pipes, progress."""

import json
import os
import pty
import select
import signal
import subprocess
import time

from support import (BAD_INPUT, BINARY, COMPLETE, FAILED, INCOMPLETE, SMALL, SOURCE, CommandTest,
                     fleet, main, part, run)

# What the files of a folder are called, by the sections that they hold.
FILES = {"acceleratorData": "accelerator", "capacityData": "capacity", "modelData": "model",
         "serviceClassData": "serviceclass", "serverData": "server", "optimizerData": "optimizer"}


class Input(CommandTest):
    def test_standard_input_equals_the_file(self):
        with open(SMALL) as file:
            text = file.read()
        expected = self.expect(INCOMPLETE, "plan", SMALL, "--format", "json").stdout
        self.assertEqual(self.expect(INCOMPLETE, "plan", "-", "--format", "json",
                                     stdin=text).stdout, expected)

    def test_folder_of_files_equals_the_combined_file(self):
        document = fleet()
        for section, name in FILES.items():
            self.file(f"{name}-data.json", document["system"][section])
        self.assertEqual(self.answer(COMPLETE, "plan", self.folder, "--format", "json"),
                         self.plan(document))

    def test_every_problem_of_every_file_of_a_folder_is_named(self):
        document = fleet()
        part(document, "serverData")[0]["minNumReplicas"] = -1
        part(document, "serverData")[1]["maxQueueSize"] = "long"
        part(document, "serverData").append(part(document, "serverData")[0])
        part(document, "acceleratorData")[1]["cost"] = -90
        for section, name in FILES.items():
            if name not in ("model", "serviceclass"):
                self.file(f"{name}-data.json", document["system"][section])
        self.file("model-data.json", json.dumps(document["system"]["modelData"])[:-20])
        result = self.expect(BAD_INPUT, "plan", self.folder)
        self.assertEqual(result.stdout, "")
        for place in ("server-data.json: /servers/0/minNumReplicas",
                      "server-data.json: /servers/1/maxQueueSize", "server-data.json: /servers/2",
                      "accelerator-data.json: /accelerators/1/cost", "model-data.json: ",
                      "serviceclass-data.json: error: found No such file"):
            self.assertIn(place, result.stderr)

    def test_documents_of_other_forms_are_refused(self):
        text = json.dumps(fleet())
        for bad in (text[:len(text) // 2], text + "}", "[]", "7", "null", '"fleet"', "NaN",
                    text.replace("300.0", "NaN"), text.replace("300.0", "1e999"),
                    text.replace('"name": "small"', '"name": "big"', 1), "\0" * 100):
            with self.subTest(bad=bad[-40:]):
                result = self.expect(BAD_INPUT, "plan", "-", stdin=bad)
                self.assertEqual(result.stdout, "")
                self.assertIn("standard input: ", result.stderr)
                self.assertRegex(result.stderr, r"input refused: \d+ errors?\n$")

    def test_nul_bytes_and_other_encodings_are_refused_by_every_reader(self):
        plan = self.expect(COMPLETE, "plan", "-", "--format", "json",
                           stdin=json.dumps(fleet())).stdout
        problem = (SOURCE / "examples" / "queue" / "solve.json").read_text()
        good_fleet, good_plan = self.file("fleet.json", fleet()), self.file("plan.json", plan)
        readers = [(["plan", None], json.dumps(fleet())),
                   (["candidates", None], json.dumps(fleet())),
                   (["candidates", None, "--grid"], json.dumps(fleet())),
                   (["pareto", None], json.dumps(fleet())),
                   (["explain", None], json.dumps(fleet())),
                   (["sensitivity", None], json.dumps(fleet())),
                   (["validate", None], json.dumps(fleet())),
                   (["verify", good_plan, None], json.dumps(fleet())),
                   (["verify", None, good_fleet], plan),
                   (["diff", None, good_plan], plan), (["diff", good_plan, None], plan),
                   (["queue", "solve", None], problem), (["queue", "target", None], problem),
                   (["queue", "optimize", None], problem)]
        bad = self.folder / "bad.json"
        for command, text in readers:
            with self.subTest(command=command):
                bad.write_text(text)
                arguments = [bad if word is None else word for word in command]
                self.assertIn(run(*arguments).returncode, (COMPLETE, INCOMPLETE))
                for content, words in ((text.encode() + b"\n\0{}", r"a NUL byte at line \d+, col"),
                                       (text.encode("utf-16"), "UTF-16"),
                                       (text.encode("utf-32-be"), "UTF-32")):
                    bad.write_bytes(content)
                    result = run(*arguments)
                    self.assertEqual(result.returncode, BAD_INPUT)
                    said = result.stdout if command[0] == "validate" else result.stderr
                    self.assertRegex(said, words)
                    self.assertIn(str(bad), said)

    def test_optional_files_that_cannot_be_reached_are_errors(self):
        document = fleet()
        for section, name in FILES.items():
            self.file(f"{name}-data.json", document["system"][section])
        for name in ("capacity-data.json", "optimizer-data.json"):
            path = self.folder / name
            text = path.read_text()
            for link in ("gone.json", name):
                with self.subTest(name=name, link=link):
                    path.unlink()
                    path.symlink_to(link)
                    result = self.expect(BAD_INPUT, "plan", self.folder)
                    self.assertIn(str(path), result.stderr)
                    self.assertEqual(result.stdout, "")
            path.unlink()
            path.write_text(text)
        (self.folder / "optimizer-data.json").unlink()  # absent is allowed
        self.expect(COMPLETE, "plan", self.folder)

    def test_empty_input_is_refused(self):
        for command in (["plan", "-"], ["candidates", "-"], ["queue", "solve", "-"],
                        ["verify", "-", SMALL]):
            with self.subTest(command=command):
                result = self.expect(BAD_INPUT, *command)
                self.assertEqual(result.stdout, "")
                self.assertIn("standard input", result.stderr)

    def test_warnings_go_to_standard_error_and_can_be_silenced(self):
        document = fleet()
        part(document, "serverData")[0]["maxQueueSiz"] = 5
        text = json.dumps(document)
        noisy = self.expect(COMPLETE, "plan", "-", "--format", "json", stdin=text)
        self.assertIn("maxQueueSiz", noisy.stderr)
        quiet = self.expect(COMPLETE, "plan", "-", "--format", "json", "--quiet", stdin=text)
        self.assertEqual(quiet.stderr, "")
        self.assertEqual(quiet.stdout, noisy.stdout)

    def test_only_some_of_many_warnings_are_shown(self):
        document = fleet()
        document["system"]["extras"] = {}
        for i in range(100):
            part(document, "serverData")[0][f"unknownKey{i}"] = i
        lines = self.expect(COMPLETE, "plan", "-", stdin=json.dumps(document)).stderr.splitlines()
        self.assertGreater(len(lines), 10)
        self.assertLess(len(lines), 30)
        self.assertIn("more", lines[-1])


class Output(CommandTest):
    def test_file_has_what_standard_output_would(self):
        for command in (["plan", SMALL, "--format", "json"], ["plan", SMALL],
                        ["candidates", SMALL, "--format", "csv"],
                        ["generate", "--servers", "5"], ["validate", SMALL]):
            with self.subTest(command=command):
                expected = run(*command)
                out = self.folder / "out"
                result = run(*command, "-o", out)
                self.assertEqual(result.returncode, expected.returncode)
                self.assertEqual(result.stdout, "")
                with open(out, newline="") as file:
                    self.assertEqual(file.read().replace("\r\n", "\n"), expected.stdout)

    def test_dash_names_standard_output_and_nothing_names_no_file(self):
        expected = self.expect(INCOMPLETE, "plan", SMALL).stdout
        self.assertEqual(self.expect(INCOMPLETE, "plan", SMALL, "-o", "-").stdout, expected)
        self.expect(BAD_INPUT, "plan", SMALL, "-o", "")

    def test_failed_save_leaves_the_old_file_and_nothing_else(self):
        out = self.folder / "plan.json"
        out.write_text("old")
        missing = self.folder / "missing" / "plan.json"
        result = self.expect(FAILED, "plan", SMALL, "-o", missing)
        self.assertIn(str(missing), result.stderr)
        self.expect(BAD_INPUT, "plan", "-", "-o", out, stdin="{")
        self.assertEqual(out.read_text(), "old")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["plan.json"])

    def test_links_are_written_through(self):
        target, link = self.folder / "target", self.folder / "link"
        link.symlink_to("target")
        for _ in range(2):  # dangling, then not
            self.expect(INCOMPLETE, "plan", SMALL, "-o", link)
            self.assertTrue(link.is_symlink())
            self.assertIn("accelerator", target.read_text())
        loop = self.folder / "loop"
        loop.symlink_to("loop")
        result = self.expect(FAILED, "plan", SMALL, "-o", loop)
        self.assertIn(str(loop), result.stderr)
        self.assertTrue(loop.is_symlink())
        self.assertEqual(sorted(os.listdir(self.folder)), ["link", "loop", "target"])

    def test_long_names(self):
        out = self.folder / ("n" * os.pathconf(self.folder, "PC_NAME_MAX"))
        for _ in range(2):
            self.expect(INCOMPLETE, "plan", SMALL, "-o", out)
        self.assertEqual(list(self.folder.iterdir()), [out])

    def test_standard_output_by_its_name_keeps_what_it_is_appended_to(self):
        log = self.folder / "log"
        log.write_text("first\n")
        with open(log, "a") as file:
            run("plan", SMALL, "-o", "/dev/stdout", stdout=file)
        text = log.read_text()
        self.assertTrue(text.startswith("first\n"))
        self.assertIn("accelerator", text)

    def test_read_only_folder(self):
        if os.geteuid() == 0:
            self.skipTest("the superuser may write anywhere")
        out = self.folder / "plan.json"
        out.write_text("old")
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        result = self.expect(FAILED, "plan", SMALL, "-o", out)
        self.assertIn(str(out), result.stderr)
        self.assertEqual(out.read_text(), "old")

    def test_folder_as_output(self):
        self.assertIn(str(self.folder), self.expect(FAILED, "plan", SMALL, "-o",
                                                    self.folder).stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_refused_input_leaves_the_old_file(self):
        out = self.folder / "out"
        bad = self.file("bad.json", '{"allocations": 7}')
        for command in (["plan", bad], ["candidates", bad], ["queue", "solve", bad],
                        ["verify", bad, SMALL], ["diff", bad, bad], ["generate", "--servers", "0"],
                        ["candidates", SMALL, "--server", "nobody"]):
            with self.subTest(command=command):
                out.write_text("old")
                result = self.expect(BAD_INPUT, *command, "-o", out)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr)
                self.assertEqual(out.read_text(), "old")
        self.assertEqual({p.name for p in self.folder.iterdir()}, {"bad.json", "out"})

    def test_killed_while_saving_leaves_the_old_file(self):
        out = self.folder / "fleet.json"
        out.write_text("old")
        for delay in (0.02, 0.1):
            child = subprocess.Popen([BINARY, "generate", "--servers", "20000", "-o", str(out)],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
            text = out.read_text()
            if text != "old":
                json.loads(text)  # the save was over already: whole

    def test_full_disk_is_noticed(self):
        for command in (["plan", SMALL], ["plan", SMALL, "--format", "json"],
                        ["candidates", SMALL], ["generate"], ["validate", SMALL], ["--help"],
                        ["--version"], ["completion", "bash"], ["backends"]):
            with self.subTest(command=command), open("/dev/full", "w") as full:
                result = run(*command, stdout=full)
                self.assertEqual(result.returncode, FAILED)
                self.assertIn("cannot write", result.stderr)
        self.expect(FAILED, "plan", SMALL, "-o", "/dev/full")

    def test_standard_error_that_is_full_or_closed_changes_nothing(self):
        for redirection, code in (("2>/dev/full", INCOMPLETE), ("2>&-", INCOMPLETE)):
            child = subprocess.run(["sh", "-c", f'"$0" plan "$1" {redirection}', BINARY, SMALL],
                                   capture_output=True, timeout=60)
            self.assertEqual(child.returncode, code)
        child = subprocess.run(["sh", "-c", '"$0" plan /missing 2>&-', BINARY],
                               capture_output=True, timeout=60)
        self.assertEqual(child.returncode, BAD_INPUT)

    def test_closed_pipe_ends_every_command_quietly(self):
        document = self.file("fleet.json", fleet())
        plan = self.folder / "plan.json"
        self.expect(COMPLETE, "plan", document, "--format", "json", "-o", plan)
        problem = SOURCE / "examples" / "queue" / "solve.json"
        for command in (["plan", document], ["plan", document, "--format", "json"],
                        ["plan", document, "-o", "/dev/stdout"], ["candidates", document],
                        ["candidates", document, "--grid"], ["pareto", document],
                        ["explain", document], ["sensitivity", document],
                        ["queue", "solve", problem], ["verify", plan, document],
                        ["diff", plan, plan], ["validate", document], ["generate"], ["backends"],
                        ["completion", "bash"], ["--help"], ["plan", "--help"], ["--version"]):
            reader, writer = os.pipe()
            os.close(reader)
            try:
                result = run(*command, stdout=writer)
            finally:
                os.close(writer)
            with self.subTest(command=command):
                self.assertEqual(result.stderr, "")
                self.assertEqual(result.returncode, -signal.SIGPIPE)

    def test_closed_pipe_is_told_where_its_signal_is_ignored(self):
        script = f'trap "" PIPE; {{ "$0" --help; echo $? >"{self.folder}/code"; }} | true'
        for _ in range(100):  # until the reader is gone before the writer begins
            child = subprocess.run(["sh", "-c", script, BINARY], capture_output=True, text=True,
                                   timeout=60)
            if child.stderr:
                break
        self.assertEqual(child.stderr, "tonnage: cannot write to standard output: Broken pipe\n")
        self.assertEqual((self.folder / "code").read_text(), f"{FAILED}\n")

    def test_named_pipe_whose_reader_goes_is_an_error(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for command in (["generate", "--servers", "3000"], ["candidates", SMALL, "--grid"]):
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            child = subprocess.Popen([BINARY, *command, "-o", str(fifo)], stderr=subprocess.PIPE)
            select.select([reader], [], [], 60)
            os.close(reader)
            _, said = child.communicate(timeout=60)
            with self.subTest(command=command):
                self.assertEqual(said.decode(),
                                 f"tonnage: cannot write {fifo}: writing: Broken pipe\n")
                self.assertEqual(child.returncode, FAILED)
        self.assertEqual(os.listdir(self.folder), ["fifo"])

    def test_reader_that_stops_early(self):
        child = subprocess.Popen([BINARY, "generate", "--servers", "3000"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        child.stdout.read(100)
        child.stdout.close()
        child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(timeout=60), -signal.SIGPIPE)

    def test_head_of_a_pipe(self):
        big = self.folder / "big.json"
        self.expect(COMPLETE, "generate", "--servers", "3000", "-o", big)
        for command in ('generate --servers 3000', f'plan "{big}" --format json',
                        f'candidates "{big}" --format csv'):
            script = (f'{{ "$0" {command} 2>"{self.folder}/said"; echo $? >"{self.folder}/code"; }}'
                      " | head -c 10")
            with self.subTest(command=command):
                subprocess.run(["sh", "-c", script, BINARY], stdout=subprocess.DEVNULL, timeout=60,
                               check=True)
                self.assertEqual((self.folder / "code").read_text(), f"{128 + signal.SIGPIPE}\n")
                self.assertEqual((self.folder / "said").read_text(), "")

    def test_closed_standard_output(self):
        child = subprocess.run(["sh", "-c", '"$0" plan "$1" >&-', BINARY, SMALL],
                               capture_output=True, timeout=60)
        self.assertEqual(child.returncode, FAILED)


class Progress(CommandTest):
    def watched(self, fleet_file, *options):
        """Standard error of a plan, as a terminal sees it."""
        terminal, other_end = pty.openpty()
        child = subprocess.Popen([BINARY, "plan", str(fleet_file), "--batch", "search",
                                  "--threads", "1", "-o", str(self.folder / "plan.txt"), *options],
                                 stderr=other_end)
        os.close(other_end)
        shown = b""
        while True:
            try:
                if not select.select([terminal], [], [], 100)[0]:
                    break
                piece = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(terminal)
        self.assertIn(child.wait(timeout=100), (COMPLETE, INCOMPLETE))
        return shown.decode()

    def test_bar_on_a_terminal_unless_quiet(self):
        # Work over in an instant has no bar: the fleet grows until planning it takes longer.
        for servers in (1000, 4000, 16000, 64000):
            path = self.folder / f"{servers}.json"
            self.expect(COMPLETE, "generate", "--servers", servers, "--accelerators", "24", "-o",
                        path)
            shown = self.watched(path)
            if shown:
                break
        self.assertRegex(shown, r"\[#* *\] +\d+ %")
        self.assertEqual(shown.rsplit("\r", 1)[-1], "")  # wiped
        self.assertEqual(self.watched(path, "--quiet"), "")


if __name__ == "__main__":
    main()
