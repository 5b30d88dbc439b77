"""The examples of docs/command-line.md print what the page shows; every option is described."""

import os
import pathlib
import re
import subprocess

from support import BINARY, SMALL, SOURCE, CommandTest, main, run

PAGE = SOURCE / "docs" / "command-line.md"


def examples():
    """Pairs (command, lines it prints) of the console blocks."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(), re.M | re.S):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = example.rstrip("\n").split("\n")
            yield command, lines


def same(shown, printed):
    """Whether two lines agree; numbers may differ in the last digits, as libraries do."""
    number = r"(?<![\w.])[+-]?\d+\.\d+(?:e[+-]?\d+)?|(?<![\w.])\d+(?![\w.])"
    if re.sub(number, "#", shown) != re.sub(number, "#", printed):
        return False
    return all(abs(float(a) - float(b)) <= 1e-6 * abs(float(b))
               for a, b in zip(re.findall(number, shown), re.findall(number, printed)))


class CommandLinePage(CommandTest):
    def test_examples(self):
        (self.folder / "examples").symlink_to(SOURCE / "examples")
        path = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        environment = dict(os.environ, PATH=path, TONNAGE_BACKEND="cpu")
        has_exact_solver = "no exact solver" not in run("plan", SMALL, "--solver", "milp").stderr
        count = 0
        for command, shown in examples():
            with self.subTest(command=command):
                text = "\n".join(shown)
                if not has_exact_solver and ("proven optimal" in text or "searches" in text):
                    self.skipTest("this build has no exact solver, which proves this plan")
                result = subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        timeout=120)
                printed = result.stdout.splitlines()
                self.assertEqual(len(shown), len(printed), result.stdout)
                for a, b in zip(shown, printed):
                    self.assertTrue(same(a, b), f"the page shows\n{a}\nthe command prints\n{b}")
            count += 1
        self.assertGreater(count, 10)

    def test_every_command_and_option_is_described(self):
        text = PAGE.read_text()
        script = self.expect(0, "completion", "bash").stdout
        for option in set(re.findall(r"--[a-z][a-z-]*", script)) - {"--help", "--version"}:
            self.assertIn(option, text)
        listed = self.expect(0, "--help").stdout.split("Subcommands:\n")[1].split("\n\n")[0]
        for command in re.findall(r"^  ([a-z]+)", listed, re.M):
            self.assertIn(f"\n## {command}\n", text)


if __name__ == "__main__":
    main()
