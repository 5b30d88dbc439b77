# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
"""Validation: every problem in one report, for people and as JSON."""

import json

from support import BAD_INPUT, COMPLETE, SMALL, CommandTest, fleet, main, part


class Validate(CommandTest):
    def broken(self):
        document = fleet()
        part(document, "serverData")[0]["minNumReplicas"] = -1
        part(document, "serverData")[1]["maxQueueSiz"] = 5
        part(document, "acceleratorData")[1]["cost"] = "cheap"
        part(document, "serviceClassData").append(part(document, "serviceClassData")[0])
        return json.dumps(document)

    def test_good_fleet(self):
        self.assertIn("0 errors, 0 warnings", self.expect(COMPLETE, "validate", SMALL).stdout)
        self.assertEqual(self.answer(COMPLETE, "validate", SMALL, "--format", "json"),
                         {"errors": [], "warnings": []})

    def test_all_problems_as_json(self):
        report = self.answer(BAD_INPUT, "validate", "-", "--format", "json", stdin=self.broken())
        self.assertEqual({e["pointer"] for e in report["errors"]},
                         {"/system/serverData/servers/0/minNumReplicas",
                          "/system/acceleratorData/accelerators/1/cost",
                          "/system/serviceClassData/serviceClasses/2"})
        for entry in report["errors"] + report["warnings"]:
            self.assertEqual(set(entry), {"file", "pointer", "found", "expected", "hint"})
        (warning,) = report["warnings"]
        self.assertIn("maxQueueSize", warning["expected"] + warning["hint"])

    def test_the_same_for_people(self):
        text = self.expect(BAD_INPUT, "validate", "-", stdin=self.broken()).stdout
        for expected in ("/system/serverData/servers/0/minNumReplicas", "found -1", '"cheap"',
                         "maxQueueSize", "3 errors, 1 warning\n"):
            self.assertIn(expected, text)

    def test_warnings_alone_are_no_failure(self):
        document = fleet()
        part(document, "serverData")[1]["maxQueueSiz"] = 5
        self.assertIn("1 warning",
                      self.expect(COMPLETE, "validate", "-", stdin=json.dumps(document)).stdout)

    def test_hostile_input_ends_with_a_report(self):
        for text in ("", "{", "[" * 100000, '{"system": 1e999}', '{"system": "\ud800"}', "\x00",
                     '{"system": {}}', "null", '{"a": 1, "a": 2}'):
            with self.subTest(text=text[:20]):
                encoded = text.encode("utf-8", "surrogatepass")
                path = self.folder / "bad.json"
                path.write_bytes(encoded)
                report = self.answer(BAD_INPUT, "validate", path, "--format", "json")
                self.assertTrue(report["errors"])


if __name__ == "__main__":
    main()
