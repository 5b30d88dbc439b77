# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Help, version, wrong usage with suggestions, colour, completion."""

import os
import pty
import re
import shutil
import subprocess

from support import BAD_INPUT, BINARY, COMPLETE, INCOMPLETE, SMALL, CommandTest, main, run

COMMANDS = [["plan"], ["candidates"], ["pareto"], ["explain"], ["sensitivity"], ["queue"], ["queue", "solve"], ["queue", "target"],
            ["queue", "optimize"], ["verify"], ["diff"], ["validate"], ["generate"], ["backends"],
            ["completion"]]


class Help(CommandTest):
    def test_every_command_has_help(self):
        for command in [[]] + COMMANDS:
            with self.subTest(command=command):
                result = self.expect(COMPLETE, *command, "--help")
                self.assertIn("Usage:", result.stdout)
                self.assertEqual(result.stderr, "")
                self.assertEqual(self.expect(COMPLETE, *command, "-h").stdout, result.stdout)

    def test_help_has_examples(self):
        for command in [[]] + COMMANDS:
            with self.subTest(command=command):
                text = self.expect(COMPLETE, *command, "--help").stdout
                self.assertRegex(text, r"\nExamples?:\n  (.|\n)*\btonnage ")
                self.assertIn("--quiet", text)

    def test_top_level_help_lists_commands_and_exit_codes(self):
        text = self.expect(COMPLETE, "--help").stdout
        for command in COMMANDS:
            self.assertIn(f"\n  {command[0]} ", text)
        self.assertIn("Exit codes:", text)

    def test_where_a_command_is_missing_those_there_are_listed(self):
        for command in ([], ["queue"], ["--quiet"]):
            with self.subTest(command=command):
                result = self.expect(BAD_INPUT, *command)
                self.assertEqual(result.stdout, "")
                self.assertEqual(result.stderr, self.expect(COMPLETE, *command, "--help").stdout)

    def test_version(self):
        version = self.expect(COMPLETE, "--version").stdout
        self.assertRegex(version, r"^tonnage \d+\.\d+\.\d+\n$")
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assertEqual(self.expect(COMPLETE, *command, "--version").stdout, version)


class WrongUsage(CommandTest):
    def refuse(self, *arguments, saying=""):
        result = self.expect(BAD_INPUT, *arguments)
        self.assertEqual(result.stdout, "")
        self.assertIn(saying, result.stderr)

    def test_missing_and_unknown_words(self):
        self.refuse()
        self.refuse("plan")
        self.refuse("queue")
        self.refuse("queue", "solve")
        self.refuse("verify", SMALL)
        self.refuse("diff", SMALL)
        self.refuse("plan", SMALL, "extra")
        self.refuse("completion", "tcsh")

    def test_values_out_of_range(self):
        self.refuse("plan", SMALL, "--format", "yaml", saying="--format")
        self.refuse("plan", SMALL, "--solver", "magic", saying="--solver")
        self.refuse("plan", SMALL, "--threads=-1", saying="--threads")
        self.refuse("plan", SMALL, "--threads", "many", saying="--threads")
        self.refuse("plan", SMALL, "--color", "pink", saying="--color")
        self.refuse("plan", SMALL, "--batch", "some", saying="--batch")
        self.refuse("plan", SMALL, "--backend", "abacus", saying="abacus")
        self.refuse("diff", SMALL, SMALL, "--format", "csv", saying="--format")

    def test_numbers_are_exact_finite_and_in_range(self):
        junk = ["", " 1", "1 ", "1x", "0x10", "1'000", "1_000", "1,5", "one", "nan", "NaN", "-nan",
                "inf", "Infinity", "-inf", "1e999", "+1", "--1"]
        beyond = {
            ("plan", SMALL, "--time-limit"): ["-1", "-1e-9", "1e10"],
            ("pareto", SMALL, "--within"): ["-1", "100.1"],
            ("sensitivity", SMALL, "--range"): ["0", "99.5", "-20"],
            ("sensitivity", SMALL, "--steps"): ["0", "101", "-1", "2.5", "1e1", "4294967298"],
            ("plan", SMALL, "--threads"): ["-1", "1025", "1.5", "4294967297",
                                           "18446744073709551617"],
            ("generate", "--servers"): ["0", "-5", "1000001", "1e2", "18446744073709551617"],
            ("generate", "--accelerators"): ["0", "65", "4294967297"],
            ("generate", "--models"): ["0", "65", "4294967297"],
            ("generate", "--seed"): ["-1", "18446744073709551616", "99999999999999999999999",
                                     "1.5", "1e3"],
            ("generate", "--tightness"): ["0", "-1", "0.009", "100.5", "1e-400"],
        }
        for (*command, option), values in beyond.items():
            for value in junk + values:
                with self.subTest(option=option, value=value):
                    result = self.expect(BAD_INPUT, *command, f"{option}={value}")
                    self.assertEqual(result.stdout, "")
                    if value == "":  # the parser's own word for it
                        self.assertIn(option, result.stderr)
                        continue
                    self.assertRegex(result.stderr,
                                     rf'^tonnage: {option}: found "{re.escape(value)}", expected '
                                     r"a (whole )?number from \S+ to \S+\n")
        for option, values in {"--batches": ["9223372036854775808", "1:2:18446744073709551617",
                                             "1:1e3", "nan", "-1", "1:inf", "0x1:2", "0", "1::2:3"],
                               "--memory": ["nan", "inf", "1e9", "9223372036854775807K", "-1", "0",
                                            "1KB", "9223372036854775808"]}.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.refuse("candidates", SMALL, "--grid", f"{option}={value}",
                                saying=f'{option}: "{value}" is not a ')

    def test_numbers_at_the_ends_of_their_ranges(self):
        least = self.expect(COMPLETE, "generate", "--servers", "2", "--seed", "0").stdout
        most = self.expect(COMPLETE, "generate", "--servers", "2", "--seed",
                           "18446744073709551615").stdout
        one_less = self.expect(COMPLETE, "generate", "--servers", "2", "--seed",
                               "18446744073709551614").stdout
        self.assertEqual(len({least, most, one_less}), 3)
        self.expect(INCOMPLETE, "plan", SMALL, "--threads", "1024", "--time-limit", "1e9")
        self.expect(INCOMPLETE, "plan", SMALL, "--time-limit", ".5")

    def test_near_misses_are_named(self):
        self.refuse("pln", SMALL, saying='did you mean "plan"?')
        self.refuse("queue", "slove", SMALL, saying='did you mean "solve"?')
        self.refuse("plan", SMALL, "--formt", "json", saying='did you mean "--format"?')
        self.refuse("plan", SMALL, "--formt=json", saying='did you mean "--format"?')
        self.refuse("plan", SMALL, "--solver", "gredy", saying='did you mean "greedy"?')
        self.refuse("plan", SMALL, "--format", "JSON", saying='did you mean "json"?')
        self.refuse("completion", "bahs", saying='did you mean "bash"?')
        self.refuse("candidates", SMALL, "--server", "trading-dsk",
                    saying='did you mean "trading-desk"?')
        self.refuse("candidates", SMALL, "--accelerator", "h100", saying='did you mean "H100"?')

    def test_values_missing_empty_or_given_twice(self):
        for option in ("--format", "--solver", "--output", "--batch", "--color", "--threads"):
            self.refuse("plan", SMALL, option, saying=f"{option}: its value is missing")
        self.refuse("plan", SMALL, "--solver", "greedy", "--solver", "unlimited",
                    saying="--solver: given more than once")
        self.refuse("plan", "", saying="INPUT: it is empty")
        self.refuse("queue", "solve", "", saying="PROBLEM: it is empty")
        self.refuse("diff", "", SMALL, saying="OLD: it is empty")
        self.refuse("plan", SMALL, "-o", "", saying="--output: it is empty")
        for option in ("--batches", "--replicas"):
            self.refuse("candidates", SMALL, "--grid", option, "", saying=f"{option}: it is empty")
            self.refuse("pareto", SMALL, option, "", saying=f"{option}: it is empty")
        for option in ("--server", "--accelerator"):  # never taken for "all of them"
            self.refuse("candidates", SMALL, option, "", saying=f"{option}: it is empty")

    def test_right_names_are_not_suggested(self):
        self.assertNotIn("did you mean", run("plan", SMALL, "--threads=-1").stderr)
        self.assertNotIn("did you mean", run("plan", SMALL, "--format", "yaml").stderr)

    def test_standard_input_twice(self):
        self.refuse("verify", "-", "-", saying="standard input")
        self.refuse("diff", "-", "-", saying="standard input")

    def test_files_that_cannot_be_read(self):
        missing = str(self.folder / "missing.json")
        for command in (["plan"], ["candidates"], ["validate"], ["queue", "solve"]):
            with self.subTest(command=command):
                result = self.expect(BAD_INPUT, *command, missing)
                self.assertIn("missing.json", result.stderr + result.stdout)
        for command in ("verify", "diff"):
            self.refuse(command, missing, SMALL, saying="missing.json")
        self.refuse("queue", "solve", str(self.folder))


class Colour(CommandTest):
    def colored(self, *options, **more):
        return "\x1b[" in self.expect(INCOMPLETE, "plan", SMALL, *options, **more).stdout

    def test_off_in_a_pipe_unless_asked(self):
        self.assertFalse(self.colored())
        self.assertFalse(self.colored("--color", "auto"))
        self.assertFalse(self.colored("--color", "never"))
        self.assertTrue(self.colored("--color", "always"))
        self.assertTrue(self.colored("--color", "always", environment={"NO_COLOR": "1"}))

    def test_never_in_files_nor_json(self):
        out = self.folder / "plan.txt"
        self.expect(INCOMPLETE, "plan", SMALL, "--color", "always", "-o", out)
        self.assertNotIn("\x1b", out.read_text())
        self.assertFalse(self.colored("--color", "always", "--format", "json"))

    def test_automatic_on_a_terminal_only_and_not_where_unwanted(self):
        def colored(**environment):
            terminal, other_end = pty.openpty()
            variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | environment
            child = subprocess.Popen([BINARY, "plan", SMALL], stdout=other_end, env=variables)
            os.close(other_end)
            shown = b""
            try:
                while piece := os.read(terminal, 4096):
                    shown += piece
            except OSError:  # the other end is closed
                pass
            os.close(terminal)
            self.assertEqual(child.wait(timeout=60), INCOMPLETE)
            self.assertIn(b"trading-desk", shown)
            return b"\x1b[" in shown
        self.assertTrue(colored(TERM="xterm"))
        self.assertTrue(colored(TERM="xterm", NO_COLOR=""))
        self.assertFalse(colored(TERM="xterm", NO_COLOR="1"))
        self.assertFalse(colored(TERM="dumb"))

    def test_global_options_before_or_after_the_command(self):
        before = self.expect(INCOMPLETE, "--color", "always", "plan", SMALL).stdout
        self.assertEqual(before, self.expect(INCOMPLETE, "plan", SMALL, "--color", "always").stdout)


class Completion(CommandTest):
    def words(self, *line):
        """What bash offers for the last of the words typed so far."""
        bash = shutil.which("bash")
        if bash is None:
            self.skipTest("no bash")
        script = self.expect(COMPLETE, "completion", "bash").stdout
        ask = ('\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tonnage; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
        result = subprocess.run([bash, "-c", script + ask, "bash", "tonnage", *line],
                                capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_commands(self):
        self.assertEqual(set(self.words("")), {command[0] for command in COMMANDS})
        self.assertEqual(self.words("pl"), ["plan"])
        self.assertEqual(set(self.words("queue", "")), {"solve", "target", "optimize"})

    def test_options(self):
        self.assertEqual(self.words("plan", "--so"), ["--solver"])
        self.assertEqual(self.words("queue", "solve", "--o"), ["--output"])
        self.assertEqual(self.words("plan", "fleet.json", "--th"), ["--threads"])
        self.assertEqual(self.words("plan", ""), [])  # bash then offers files

    def test_values(self):
        self.assertEqual(self.words("plan", "--solver", ""), ["auto", "unlimited", "greedy", "price", "milp"])
        self.assertEqual(self.words("plan", "--format", ""), ["table", "json"])
        self.assertEqual(self.words("candidates", "--format", "c"), ["csv"])
        self.assertEqual(self.words("completion", ""), ["bash", "zsh", "fish"])

    def test_syntax(self):
        tried = 0
        for shell in ("bash", "zsh", "fish"):
            script = self.file(shell, self.expect(COMPLETE, "completion", shell).stdout)
            program = shutil.which(shell)
            if program is None:
                print(f"no {shell}: the syntax of its completion is not checked", flush=True)
                continue
            result = subprocess.run([program, "-n", script], capture_output=True, text=True,
                                    timeout=60)
            self.assertEqual((result.returncode, result.stderr), (0, ""), shell)
            tried += 1
        if not tried:
            self.skipTest("no shell that completion is written for")

    def test_other_shells(self):
        self.assertTrue(self.expect(COMPLETE, "completion", "zsh").stdout.startswith("#compdef"))
        fish = self.expect(COMPLETE, "completion", "fish").stdout
        self.assertRegex(fish, r"-a .*\bplan\b")
        self.assertRegex(fish, r"__fish_seen_subcommand_from plan.* -l solver\b")


if __name__ == "__main__":
    main()
