# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""The pages: what they show is what the command prints, their links lead somewhere, every option is
described."""

import os
import pathlib
import re
import subprocess

from support import BINARY, SMALL, SOURCE, CommandTest, main, run

DOCS = SOURCE / "docs"
PAGES = [SOURCE / "README.md", SOURCE / "examples" / "README.md", *sorted(DOCS.rglob("*.md"))]
MOST_COLUMNS = 100


def events(page):
    """What a page tells its reader to do, in order: ("file", name, text) for a block after a line
    <!-- file NAME -->, ("command", command, lines it prints) for each command of console blocks."""
    pattern = r"^<!-- file (\S+) -->\n```\w+\n(.*?)^```|^```console\n(.*?)^```"
    for block in re.finditer(pattern, page.read_text(), re.M | re.S):
        if block[1]:
            yield "file", block[1], block[2]
            continue
        for example in re.split(r"^\$ ", block[3], flags=re.M)[1:]:
            command, *lines = example.rstrip("\n").split("\n")
            yield "command", command, lines


def same(shown, printed):
    """Whether two lines agree; numbers may differ in the last digits, as libraries do."""
    number = r"(?<![\w.])[+-]?\d+\.\d+(?:e[+-]?\d+)?|(?<![\w.])\d+(?![\w.])"
    if re.sub(number, "#", shown) != re.sub(number, "#", printed):
        return False
    return all(abs(float(a) - float(b)) <= 1e-6 * abs(float(b))
               for a, b in zip(re.findall(number, shown), re.findall(number, printed)))


def prose(page):
    """(number, line) of the lines outside of code, tables and generated figures."""
    is_code = is_figures = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("<!-- figures"):
            is_figures = True
        if line.startswith("<!-- end"):
            is_figures = False
        if line.startswith("```"):
            is_code = not is_code
        elif not (is_code or is_figures or line.startswith(("    ", "|", "<!--"))):
            yield number, line


def anchors(page):
    """The fragments that links to a page may have: its headings as GitHub names them, and ids."""
    found = set(re.findall(r'<a id="([^"]+)">', page.read_text()))
    for _, line in prose(page):
        if line.startswith("#"):
            heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip()).lower()
            found.add(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-"))
    return found


class Examples(CommandTest):
    def follow(self, page):
        """Does what the page says in an empty folder, and compares; the number of commands."""
        path = f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}"
        environment = dict(os.environ, PATH=path, TONNAGE_BACKEND="cpu")
        has_exact_solver = "no exact solver" not in run("plan", SMALL, "--solver", "milp").stderr
        count = 0
        for kind, name, shown in events(page):
            if kind == "file":
                (self.folder / name).write_text(shown)
                continue
            with self.subTest(command=name):
                text = "\n".join(shown)
                if not has_exact_solver and ("proven optimal" in text or "searches" in text):
                    self.skipTest("this build has no exact solver, which proves this plan")
                result = subprocess.run(["sh", "-c", name], cwd=self.folder, env=environment,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        timeout=120)
                printed = result.stdout.splitlines()
                self.assertEqual(len(shown), len(printed), result.stdout)
                for a, b in zip(shown, printed):
                    self.assertTrue(same(a, b), f"the page shows\n{a}\nthe command prints\n{b}")
            count += 1
        return count

    def test_readme(self):
        self.assertEqual(self.follow(SOURCE / "README.md"), 1)

    def test_tutorial(self):
        self.assertGreater(self.follow(DOCS / "tutorial.md"), 15)

    def test_command_line(self):
        (self.folder / "examples").symlink_to(SOURCE / "examples")
        self.assertGreater(self.follow(DOCS / "command-line.md"), 10)


class CommandLinePage(CommandTest):
    def test_every_command_and_option_is_described(self):
        text = (DOCS / "command-line.md").read_text()
        script = self.expect(0, "completion", "bash").stdout
        options = set(re.findall(r"--[a-z][a-z-]*", script))
        self.assertEqual({option for option in options if option not in text}, set())
        listed = self.expect(0, "--help").stdout.split("Subcommands:\n")[1].split("\n\n")[0]
        commands = re.findall(r"^  ([a-z]+)", listed, re.M)
        self.assertGreater(len(commands), 5)
        self.assertEqual([name for name in commands if f"\n## {name}\n" not in text], [])


class Pages(CommandTest):
    def links(self, page):
        """(text, page or file, fragment) of the relative links of a page."""
        text = "\n".join(line for line in page.read_text().splitlines()
                         if not line.startswith("    "))
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:", target):
                path, _, fragment = target.partition("#")
                yield target, (page.parent / path).resolve() if path else page, fragment

    def test_links_lead_somewhere(self):
        count = 0
        for page in PAGES:
            for target, path, fragment in self.links(page):
                with self.subTest(page=str(page.relative_to(SOURCE)), link=target):
                    self.assertTrue(path.exists(), "no such file")
                    if fragment:
                        self.assertIn(fragment, anchors(path))
                count += 1
        self.assertGreater(count, 40)

    def test_every_page_is_linked_from_the_readme(self):
        reached, left = set(), [SOURCE / "README.md"]
        while left:
            page = left.pop()
            if page in reached or page.suffix != ".md":
                continue
            reached.add(page)
            left += [path for _, path, _ in self.links(page)]
        self.assertEqual({page for page in PAGES if DOCS in page.parents} - reached, set())

    def test_paths_in_pages_for_developers_exist(self):
        folders = {path.name for path in SOURCE.iterdir() if path.is_dir()} - {"out"}
        count = 0
        for page in sorted((DOCS / "dev").glob("*.md")):
            for path in re.findall(r"`([\w.-]+/[\w./-]*)`", page.read_text()):
                if path.split("/")[0] in folders:
                    self.assertTrue((SOURCE / path).exists(), f"{page.name} names {path}")
                    count += 1
        self.assertGreater(count, 60)

    def test_map_names_every_folder_of_sources(self):
        text = (DOCS / "dev" / "README.md").read_text()
        sources = [path.parent for folder in ("core", "cuda", "host", "io", "bench")
                   for path in (SOURCE / folder).rglob("*.[ch]pp")]
        folders = {str(folder.relative_to(SOURCE)) + "/" for folder in sources}
        self.assertGreater(len(folders), 20)
        self.assertEqual({folder for folder in folders if f"`{folder}`" not in text}, set())

    def test_prose_fits_a_screen(self):
        for page in PAGES:
            for number, line in prose(page):
                with self.subTest(page=str(page.relative_to(SOURCE)), line=number):
                    self.assertLessEqual(len(line), MOST_COLUMNS, line)

    def test_glossary_is_in_alphabetical_order(self):
        text = (DOCS / "glossary.md").read_text()
        terms = re.findall(r"^\*\*([^*]+)\*\*", text, re.M)
        self.assertGreater(len(terms), 40)
        self.assertEqual(terms, sorted(terms, key=str.casefold))


if __name__ == "__main__":
    main()
