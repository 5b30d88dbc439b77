"""Help, version, wrong usage with suggestions, colour, completion."""

import shutil
import subprocess

from support import BAD_INPUT, COMPLETE, INCOMPLETE, SMALL, CommandTest, main, run

COMMANDS = [["plan"], ["candidates"], ["queue"], ["queue", "solve"], ["queue", "target"],
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
        for command in [[], ["plan"], ["candidates"], ["queue"], ["verify"], ["diff"], ["validate"],
                        ["generate"], ["completion"]]:
            with self.subTest(command=command):
                self.assertIn("Example", self.expect(COMPLETE, *command, "--help").stdout)

    def test_top_level_help_lists_commands_and_exit_codes(self):
        text = self.expect(COMPLETE, "--help").stdout
        for command in COMMANDS:
            self.assertIn(f"\n  {command[0]} ", text)
        self.assertIn("Exit codes:", text)

    def test_version(self):
        self.assertRegex(self.expect(COMPLETE, "--version").stdout, r"^tonnage \d+\.\d+\.\d+\n$")


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

    def test_near_misses_are_named(self):
        self.refuse("pln", SMALL, saying='did you mean "plan"?')
        self.refuse("queue", "slove", SMALL, saying='did you mean "solve"?')
        self.refuse("plan", SMALL, "--formt", "json", saying='did you mean "--format"?')
        self.refuse("plan", SMALL, "--formt=json", saying='did you mean "--format"?')

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
        self.assertEqual(self.words("plan", "--solver", ""), ["auto", "unlimited", "greedy"])
        self.assertEqual(self.words("plan", "--format", ""), ["table", "json"])
        self.assertEqual(self.words("candidates", "--format", "c"), ["csv"])
        self.assertEqual(self.words("completion", ""), ["bash", "zsh", "fish"])

    def test_other_shells(self):
        self.assertTrue(self.expect(COMPLETE, "completion", "zsh").stdout.startswith("#compdef"))
        fish = self.expect(COMPLETE, "completion", "fish").stdout
        self.assertRegex(fish, r"-a .*\bplan\b")
        self.assertRegex(fish, r"__fish_seen_subcommand_from plan.* -l solver\b")


if __name__ == "__main__":
    main()
