# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Names and words that hold what a terminal obeys or nobody sees: no command shows one as it is,
and files hand every name on exactly."""

import csv
import io
import json
import os
import subprocess
import unicodedata

from support import BAD_INPUT, BINARY, COMPLETE, INCOMPLETE, CommandTest, changed, fleet, main, part

NASTY = [
    "\x1b[2J\x1b]0;title\x07", "line\nbreak\r\ttab\x0b\x0c", "del\x7fete", "c1\x85\x9b31m\x9d",
    "\u202egnp.exe\u202c", "\u2066isolated\u2069", "mark\u200e\u200f\u061c", "sep\u2028\u2029",
    "zero\u200b\u200c\u200d\u2060\ufeffwidth", "soft\u00adhyphen", "tag\U000e0041\U000e007f",
    "variant\ufe0f\U000e0100", "none\ufffe\ufdd0\U0001ffff", "filler\u3164\u115f\u034f",
]
WORD = "".join(NASTY)
FORMULAS = ["=1+1", "+SUM(A1)", "-2", "@cmd", "\tx", "\rx", '=HYPERLINK("x","y, z")']


def invisible(text):
    """Characters of a text that a terminal obeys or nobody sees, after Unicode's own categories."""
    def is_one(c):
        code = ord(c)
        return (unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")
                or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
                or 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE0FFF
                or code in (0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0))
    return {c for c in text if is_one(c)} - {"\n"}


def nasty_fleet(names=tuple(NASTY)):
    """A fleet in which everything that has a name has a nasty one."""
    names = list(names)
    document = fleet()
    for i, accelerator in enumerate(part(document, "acceleratorData")):
        accelerator["name"] = "acc" + names[i] + WORD
        accelerator["type"] = "type" + names[i] + WORD
        part(document, "modelData")[i]["acc"] = accelerator["name"]
        part(document, "modelData")[i]["name"] = "model" + WORD
        part(document, "capacityData")[i]["type"] = accelerator["type"]
        service_class = part(document, "serviceClassData")[i]
        service_class["name"] = "class" + WORD + str(i)
        service_class["modelTargets"][0]["model"] = "model" + WORD
    template = part(document, "serverData")[0]
    servers = []
    for i, name in enumerate(names):
        servers.append(changed(template, lambda s: s.update(
            name=name, model="model" + WORD, **{"class": "class" + WORD + str(i % 2)})))
    servers[0]["class"] = "no such class" + WORD      # unplannable, with a warning
    servers[1]["model"] = "no such model" + WORD
    servers[2]["excludedAccelerators"] = ["nobody" + WORD]
    servers[3]["currentAlloc"].update(accelerator="gone" + WORD, numReplicas=1, maxBatch=1, cost=1)
    servers[4]["key" + WORD] = 1                       # an unknown key
    servers[5]["currentAlloc"]["load"]["arrivalRate"] = 1e9   # beyond all cards
    document["system"]["serverData"]["servers"] = servers
    return document


class Names(CommandTest):
    def bytes_of(self, code, *arguments, stdin=b"", environment=None):
        variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TONNAGE_BACKEND")}
        result = subprocess.run([os.fsencode(BINARY), *map(os.fsencode, map(str, arguments))],
                                input=stdin, capture_output=True, timeout=120,
                                env=variables | (environment or {}))
        self.assertEqual(result.returncode, code, (arguments, result.stdout[:500],
                                                   result.stderr[:2000]))
        return result.stdout, result.stderr

    def clean(self, code, *arguments, says=None, data=False, **options):
        """Runs a command; what it shows is UTF-8 without anything invisible. `data`: standard
        output is comma-separated values, which hold names exactly."""
        out, err = self.bytes_of(code, *arguments, **options)
        for stream in (err,) if data else (out, err):
            self.assertEqual(invisible(stream.decode()), set(), arguments)  # decode is strict
        if says is not None:
            self.assertIn(says, (out if data else out + err).decode())
        return out.decode(), err.decode()

    def nasty_file(self, document, name="fleet.json"):
        path = self.folder / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return str(path)

    def test_commands_on_a_nasty_fleet(self):
        path = self.nasty_file(nasty_fleet())
        for options in ([], ["--all"], ["--solver", "greedy"], ["--format", "json"]):
            self.clean(INCOMPLETE, "plan", path, *options, says="\\u202e")
        for options in ([], ["--infeasible"], ["--format", "json"], ["--server", NASTY[7]],
                        ["--accelerator", "acc" + NASTY[0] + WORD]):
            self.clean(COMPLETE, "candidates", path, *options, says="\\u202e")
        for options in ([], ["--format", "json"]):
            self.clean(COMPLETE, "pareto", path, "--batches", "1:4", *options, says="\\u202e")
            self.clean(COMPLETE, "explain", path, *options, says="\\u202e")
            self.clean(COMPLETE, "validate", path, *options, says="\\u202e")
            self.clean(COMPLETE, "sensitivity", path, "--axis", "capacity", "--steps", "1",
                       *options, says="\\u202e")
        for command in (["candidates"], ["candidates", "--grid", "--batches", "1:2"],
                        ["pareto", "--batches", "1:2"],
                        ["sensitivity", "--axis", "capacity", "--steps", "1"]):
            options = [] if "--grid" in command else ["--format", "csv"]
            self.clean(COMPLETE, *command, path, *options, data=True)

    def test_columns_stand_below_each_other(self):
        document = changed(fleet(), lambda d: d["system"]["serverData"]["servers"][0].update(
            name="\u6f22\u5b57-e\u0301-1"))  # four columns for two signs, none for the accent
        out, _ = self.clean(COMPLETE, "plan", self.nasty_file(document))
        lines = out.splitlines()
        name = next(line for line in lines if line.startswith("\u6f22"))
        plain = next(line for line in lines if line.startswith("omega"))
        self.assertEqual(name.index("big") + 2 - 1 if "big" in name else name.index("small") + 1,
                         plain.index("big") if "big" in plain else plain.index("small"))

    def test_plans_with_nasty_claims(self):
        path = self.nasty_file(nasty_fleet())
        out, _ = self.clean(INCOMPLETE, "plan", path, "--format", "json")
        plan = json.loads(out)
        self.clean(COMPLETE, "verify", self.nasty_file(plan, "plan.json"), path)
        server = NASTY[8]
        plan["allocations"][server]["accelerator"] = "unknown" + WORD
        plan["allocations"]["nobody" + WORD] = plan["allocations"][NASTY[9]]
        plan["unallocated"].append({"server": "no one" + WORD})
        plan["summary"]["types"]["no type" + WORD] = {"used": 1}
        other = self.nasty_file(plan, "other.json")
        for options in ([], ["--format", "json"]):
            self.clean(INCOMPLETE, "verify", other, path, *options, says="\\u202e")
            self.clean(COMPLETE, "diff", self.folder / "plan.json", other, *options,
                       says="\\u202e")
        wrong = {"allocations": {WORD: {"accelerator": 1}}, "summary": {"priorities": {WORD: {}}}}
        bad = self.nasty_file(wrong, "wrong.json")
        self.clean(BAD_INPUT, "verify", bad, path, says="\\u202e")
        self.clean(BAD_INPUT, "diff", bad, bad, says="\\u202e")

    def test_files_with_nasty_names_and_contents(self):
        for name in ("\u202ename\u2028\x1b[31m.json", "bytes\udcff\udc9b.json"):
            missing = str(self.folder / name)
            for command in (["plan"], ["candidates"], ["pareto"], ["explain"], ["sensitivity"],
                            ["validate"], ["queue", "solve"], ["queue", "target"],
                            ["queue", "optimize"]):
                self.clean(BAD_INPUT, *command, missing, says="json")
            self.clean(BAD_INPUT, "verify", missing, missing)
            self.clean(BAD_INPUT, "diff", missing, missing)
            self.clean(1, "generate", "--servers", "1", "-o", os.path.join(missing, "x"))
            (self.folder / name).write_text("{", encoding="utf-8")
            for options in ([], ["--format", "json"]):
                self.clean(BAD_INPUT, "validate", missing, *options)
        folder = self.folder / "\u2066folder\x9b"
        folder.mkdir()
        self.clean(BAD_INPUT, "plan", folder)
        for text in (json.dumps({WORD: 1, "system": {WORD: {}}}), '{"a": ' + WORD + "}",
                     '{"\\u202e": nan}', WORD):
            for command in (["plan", "-"], ["validate", "-"], ["queue", "solve", "-"]):
                self.clean(BAD_INPUT, *command, stdin=text.encode("utf-8", "surrogatepass"))
        self.clean(BAD_INPUT, "queue", "solve", "-",
                   stdin=json.dumps([{WORD: 1, "RPS": WORD}]).encode(), says="\\u202e")

    def test_nasty_words_on_the_command_line(self):
        path = self.nasty_file(fleet())
        for word in NASTY + ["bytes\udcff\udc9b", "alpha\u200b"]:
            for arguments in ([word], ["plan", path, word], ["plan", path, "--" + word],
                              ["plan", path, "--format", word], ["plan", path, "--solver", word],
                              ["plan", path, "--backend", word], ["plan", path, "--threads", word],
                              ["plan", path, "--time-limit", word], ["plan", path, "--color", word],
                              ["candidates", path, "--server", word],
                              ["candidates", path, "--accelerator", word],
                              ["candidates", path, "--grid", "--batches", word],
                              ["candidates", path, "--grid", "--memory", word],
                              ["candidates", path, "--grid", "--fields", word],
                              ["pareto", path, "--ttft", word], ["explain", path, "--server", word],
                              ["sensitivity", path, "--steps", word], ["queue", word],
                              ["generate", "--seed", word], ["completion", word]):
                self.clean(BAD_INPUT, *arguments)
            self.clean(BAD_INPUT, "plan", path,
                       environment={"TONNAGE_BACKEND": os.fsencode(word).decode(
                           "utf-8", "surrogateescape")})
        # What was probably meant is a name of the fleet.
        document = changed(fleet(), lambda d: d["system"]["serverData"]["servers"][0].update(
            name="trading\u202edesk"))
        self.clean(BAD_INPUT, "explain", self.nasty_file(document), "--server", "tradingdesk",
                   says='did you mean "trading\\u202edesk"?')

    def test_json_hands_names_on_exactly(self):
        path = self.nasty_file(nasty_fleet())
        plan = json.loads(self.clean(INCOMPLETE, "plan", path, "--format", "json")[0])
        named = set(plan["allocations"]) | {u["server"] for u in plan["unallocated"]}
        self.assertEqual(named, set(NASTY))
        listed = json.loads(self.clean(COMPLETE, "candidates", path, "--format", "json")[0])
        self.assertLessEqual({c["server"] for c in listed}, set(NASTY))
        self.assertIn("acc" + NASTY[0] + WORD, {c["accelerator"] for c in listed})

    def test_csv_hands_names_on_exactly(self):
        names = NASTY[:2] + FORMULAS
        document = nasty_fleet(["a", "b", "c", "d", "e", "f"] + names)
        part(document, "acceleratorData")[0]["type"] = "=type"
        part(document, "capacityData")[0]["type"] = "=type"
        path = self.nasty_file(document)
        for command in (["candidates", "--format", "csv"], ["pareto", "--format", "csv"],
                        ["candidates", "--grid", "--batches", "1:2", "--replicas", "1:2"],
                        ["candidates", "--grid", "--format", "npy"]):
            target = self.folder / "out"
            out, err = self.clean(COMPLETE, *command, path, "-o", target)
            text = target / "lines.csv" if target.is_dir() else target
            rows = list(csv.DictReader(io.StringIO(text.read_bytes().decode(), newline="")))
            self.assertLessEqual(set(names), {row["server"] for row in rows}, command)
            self.assertRegex(err, r'a spreadsheet would read "[^"]+" and 6 more names as formulas')
            self.assertEqual(self.clean(COMPLETE, *command, path, "-q", "-o", target)[1], "")
            for row in rows:  # numbers stay plain
                for key, cell in row.items():
                    if key not in ("server", "accelerator", "verdict", "reason") and cell:
                        float(cell)
            if target.is_file():
                target.unlink()
        out, err = self.clean(COMPLETE, "sensitivity", path, "--axis", "capacity", "--steps", "1",
                              "--format", "csv", data=True)
        self.assertIn('read "=type" as a formula', err)
        self.assertIn("=type", {row["type"] for row in csv.DictReader(io.StringIO(out, newline=""))})
        _, err = self.clean(COMPLETE, "candidates", self.nasty_file(fleet()), "--format", "csv",
                            data=True)
        self.assertEqual(err, "")


if __name__ == "__main__":
    main()
