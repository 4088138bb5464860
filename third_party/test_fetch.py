#!/usr/bin/env python3
"""Proof that third_party/fetch uses only the files it should; without a network or a compiler."""

import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "tidy")]

import archive  # noqa: E402
import recipes  # noqa: E402
from test_tidy import report  # noqa: E402

loader = importlib.machinery.SourceFileLoader("fetch", str(HERE / "fetch"))
fetch = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch", loader))
loader.exec_module(fetch)


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


ROW = {
    "kind": "source", "package": "liba", "majors": ["2"], "at_least": "2.1", "upstream": "a/liba",
    "system_packages": "liba-dev", "libraries": ["liba.a"], "headers": ["a.h"],
    "known": [
        {"version": "2.3-1", "sha256": {"dsc": hash_of("new"), "orig.tar.gz": hash_of("tar")}},
        {"version": "2.2-1", "sha256": {"dsc": hash_of("old")}},
    ],
}


class InFolders(unittest.TestCase):
    """Which files are taken from folders, with an archive that has nothing."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.deps = Path(folder.name, "deps")
        self.given = Path(folder.name, "given")
        (self.deps / "downloads").mkdir(parents=True)
        self.given.mkdir()
        no_archive = archive.Unavailable("no archive here")
        for patch in [
            mock.patch.dict(os.environ, HYPERION_THIRD_PARTY_CACHE=str(self.given)),
            mock.patch.object(archive.Archive, "versions", side_effect=no_archive),
        ]:
            patch.start()
            self.addCleanup(patch.stop)

    def find(self):
        return fetch.Sources(self.deps, "amd64").find("a", ROW)

    def test_the_first_known_version_is_taken_when_all_its_files_are_there(self):
        (self.given / "liba_2.3-1.dsc").write_text("new")
        (self.given / "liba_2.3.orig.tar.gz").write_text("tar")
        version, files = self.find()
        self.assertEqual(version, "2.3-1")
        self.assertEqual([file.name for file in files], ["liba_2.3-1.dsc", "liba_2.3.orig.tar.gz"])

    def test_a_version_of_which_a_file_is_missing_is_passed_over(self):
        (self.given / "liba_2.3-1.dsc").write_text("new")
        (self.given / "liba_2.2-1.dsc").write_text("old")
        self.assertEqual(self.find()[0], "2.2-1")

    def test_a_given_file_with_another_hash_is_refused(self):
        (self.given / "liba_2.3-1.dsc").write_text("new")
        (self.given / "liba_2.3.orig.tar.gz").write_text("tampered with")
        (self.given / "liba_2.2-1.dsc").write_text("old")
        with self.assertRaisesRegex(fetch.Refused, "liba_2.3.orig.tar.gz is not the file"):
            self.find()

    def test_an_earlier_download_that_is_damaged_is_thrown_away(self):
        damaged = self.deps / "downloads" / "liba_2.2-1.dsc"
        damaged.write_text("half of ol")
        with self.assertRaises(fetch.Missing):
            self.find()
        self.assertFalse(damaged.exists())

    def test_the_message_of_a_missing_library_says_what_was_tried_and_what_would_help(self):
        with self.assertRaises(fetch.Missing) as raised:
            self.find()
        text = fetch.missing_text("a", ROW, str(raised.exception), "amd64")
        for part in ["a could not be obtained", str(self.given), "no archive here",
                     "liba_2.3.orig.tar.gz", "project a/liba", "2.1 or later"]:
            self.assertIn(part, text)


class FromArchive(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.deps = Path(folder.name)

    def find(self, offered, content="old"):
        def download(_self, _kind, package, version, into):
            file = into / f"{package}_{version}.dsc"
            file.write_text(content)
            return [file]

        with mock.patch.dict(os.environ), \
                mock.patch.object(archive.Archive, "versions", return_value=offered), \
                mock.patch.object(archive.Archive, "download", download), \
                mock.patch.object(fetch, "say") as said:
            os.environ.pop("HYPERION_THIRD_PARTY_CACHE", None)
            version, _ = fetch.Sources(self.deps, "amd64").find("a", ROW)
        return version, "".join(str(call) for call in said.call_args_list)

    def test_a_known_version_goes_before_a_newer_unknown_one(self):
        self.assertEqual(self.find(["2.2-1", "2.9-1"]), ("2.2-1", ""))

    def test_a_known_version_with_another_hash_is_refused(self):
        with self.assertRaisesRegex(fetch.Refused, "It was not used"):
            self.find(["2.2-1"], content="other")

    @unittest.skipUnless(shutil.which("dpkg"), "dpkg compares versions and is not installed")
    def test_an_unknown_version_of_the_major_is_used_with_a_warning(self):
        version, said = self.find(["2.9-1", "2.10-1", "3.0-1"])
        self.assertEqual(version, "2.10-1")
        self.assertIn("nobody has tested", said)

    @unittest.skipUnless(shutil.which("dpkg"), "dpkg compares versions and is not installed")
    def test_another_major_or_one_that_is_too_old_is_never_used(self):
        with self.assertRaisesRegex(fetch.Missing, "no version fits"):
            self.find(["1.9-1", "2.0-1", "3.0-1", "20.1-1"])


class MachineSources(unittest.TestCase):
    def places(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "sources.list.d").mkdir()
            for name, text in files.items():
                place = "" if name == "list" else "sources.list.d"
                Path(folder, place, f"sources.{name}").write_text(text)
            with mock.patch.object(archive, "SOURCES", Path(folder)), mock.patch.dict(os.environ):
                os.environ.pop("HYPERION_DEBIAN_MIRROR", None)
                return archive.debian_places()

    def test_one_line_notation(self):
        self.assertEqual(self.places(list=(
            "# deb http://off/debian trixie main\n"
            "deb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://a/debian trixie main\n"
            "deb-src http://a/debian trixie main\n"
            "deb http://a/debian trixie-updates main contrib # why\n"
            "deb http://a/debian-security trixie-security main\n"
        )), [("http://a/debian", "trixie trixie-updates"),
             ("http://a/debian-security", "trixie-security")])

    def test_paragraph_notation(self):
        self.assertEqual(self.places(sources=(
            "# a comment\nTypes: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\n"
            "Suites: trixie\n trixie-updates\nComponents: main\n\n"
            "Enabled: no\nTypes: deb\nURIs: http://off/debian\nSuites: trixie\nComponents: main\n"
        )), [("mirror+file:///etc/apt/mirrors/debian.list", "trixie trixie-updates")])

    def test_other_archives_are_not_taken_for_debian(self):
        self.assertEqual(self.places(list=(
            "deb http://a/ubuntu noble main\n"
            "deb [signed-by=/k/vendor.gpg] http://vendor/debian trixie main\n"
            "deb http://vendor/linux/debian trixie stable\n"
            "deb cdrom:[Debian]/ trixie main\n"
        )), [])


class Built(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.deps, self.stage = Path(folder.name, "deps"), Path(folder.name, "stage")

    def install(self, recipe, *names):
        for name in names:
            (self.stage / name).parent.mkdir(parents=True, exist_ok=True)
            (self.stage / name).touch()
        fetch.install(self.deps, "a", self.stage, {"version": "1", "recipe": recipe})

    def test_what_the_same_recipe_made_is_left_alone(self):
        self.install("one", "lib/liba.a")
        self.assertTrue(fetch.is_built(self.deps, "a", "one"))
        self.assertFalse(fetch.is_built(self.deps, "a", "two"))

    def test_a_file_that_was_deleted_is_built_again(self):
        self.install("one", "lib/liba.a")
        (self.deps / "lib" / "liba.a").unlink()
        self.assertFalse(fetch.is_built(self.deps, "a", "one"))

    def test_files_of_the_former_version_go(self):
        self.install("one", "include/old.h", "lib/liba.a")
        self.install("two", "include/new.h", "lib/liba.a")
        self.assertEqual([path.name for path in (self.deps / "include").iterdir()], ["new.h"])


class Table(unittest.TestCase):
    def test_every_library_has_a_recipe_a_probe_and_known_versions_that_fit(self):
        table = fetch.read_table()
        self.assertEqual(list(table), list(recipes.BUILDERS))
        self.assertEqual(list(table), list(recipes.PROBES))
        for name, row in table.items():
            for known in row["known"]:
                self.assertIn(re.match(r"\d+", known["version"])[0], row["majors"], name)
                for digest in known["sha256"].values():
                    self.assertRegex(digest, "^[0-9a-f]{64}$", name)
                for architecture in fetch.ARCHITECTURES.values():
                    self.assertTrue(fetch.files_of(row, known, architecture), name)


if __name__ == "__main__":
    sys.exit(report(sys.modules[__name__]))
