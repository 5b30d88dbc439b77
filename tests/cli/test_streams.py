"""Standard input, files that appear whole or not at all, full disks, closed pipes, progress."""

import json
import os
import pty
import select
import signal
import subprocess
import time

from support import (BAD_INPUT, BINARY, COMPLETE, FAILED, INCOMPLETE, SMALL, CommandTest, fleet,
                     main, part, run)


class Input(CommandTest):
    def test_standard_input_equals_the_file(self):
        with open(SMALL) as file:
            text = file.read()
        expected = self.expect(INCOMPLETE, "plan", SMALL, "--format", "json").stdout
        self.assertEqual(self.expect(INCOMPLETE, "plan", "-", "--format", "json",
                                     stdin=text).stdout, expected)

    def test_folder_of_files_equals_the_combined_file(self):
        names = {"acceleratorData": "accelerator", "capacityData": "capacity", "modelData": "model",
                 "serviceClassData": "serviceclass", "serverData": "server",
                 "optimizerData": "optimizer"}
        document = fleet()
        for section, name in names.items():
            self.file(f"{name}-data.json", document["system"][section])
        self.assertEqual(self.answer(COMPLETE, "plan", self.folder, "--format", "json"),
                         self.plan(document))

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

    def test_closed_pipe_ends_the_command(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            result = run("plan", SMALL, "--format", "json", stdout=writer)
        finally:
            os.close(writer)
        self.assertEqual(result.returncode, FAILED)

    def test_reader_that_stops_early(self):
        child = subprocess.Popen([BINARY, "generate", "--servers", "3000"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        child.stdout.read(100)
        child.stdout.close()
        child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(timeout=60), FAILED)

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
