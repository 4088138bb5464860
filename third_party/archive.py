"""A Debian archive read with apt, without touching the system's apt.

The addresses come from the machine's own apt sources (or HYPERION_DEBIAN_MIRROR); the suites are
ours, since what we need lies in newer ones than the machine's. apt's configuration, lists and cache
are private, under build/deps/apt; the machine's proxy settings are taken over, its hooks are not.
apt verifies every index and file with the keys of the archive: nothing unsigned is ever used.

Anything that stands in the way raises Unavailable with a sentence for the user.
"""

import os
import re
import shutil
import subprocess
from functools import cmp_to_key
from pathlib import Path

SOURCES = Path("/etc/apt")
KEYRINGS = [Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
            Path("/usr/share/keyrings/debian-archive-keyring.pgp")]

# Where versions.toml's versions are, and what the next point release brings. Sources only of the
# oldest, for its mimalloc.
SUITES = [("deb-src", "bookworm"), ("deb deb-src", "trixie trixie-updates testing")]
SECURITY_SUITES = [("deb-src", "bookworm-security trixie-security")]

# How Debian names suites; other archives on a machine (a vendor's, Ubuntu's) use other words.
DEBIAN_SUITE = re.compile(
    r"(oldoldstable|oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)"
    r"(-updates|-security|-backports|-proposed-updates|/updates)?/?$")
SECURITY_SUITE = re.compile(r"(-security|/updates)/?$")
TRUST_PROBLEM = re.compile(r"NO_PUBKEY|EXPKEYSIG|is not signed|couldn't be verified|Missing key")


class Unavailable(Exception):
    """The archive cannot be used, or lacks the file. The message says why."""


class Archive:
    """One private apt. The first question asked of it fetches the indexes."""

    def __init__(self, home, architecture, log):
        self.home = home
        self.architecture = architecture
        self.log = log
        self.ready = False
        self.failure = None

    def versions(self, kind, package):
        """All versions that the archive offers of a source or -dev package."""
        self.prepare()
        if kind == "source":
            text = self.apt("apt-cache", "showsrc", "--only-source", package)
        else:
            text = self.apt("apt-cache", "show", package)
        return sorted(set(re.findall(r"^Version: (\S+)$", text, re.M)))

    def newest(self, versions, majors, at_least):
        """The newest version of the first major that has one, or None."""
        for major in majors:
            fitting = [version for version in versions
                       if re.match(rf"(\d+:)?{major}\.", version)
                       and compare_versions(version, at_least) >= 0]
            if fitting:
                return max(fitting, key=cmp_to_key(compare_versions))
        return None

    def download(self, kind, package, version, folder):
        """Fetches the files of one version into the folder; returns them."""
        self.prepare()
        wanted = f"{package}={version}"
        if kind == "source":
            plan = self.apt("apt-get", "source", "--print-uris", "--only-source", wanted)
            self.apt("apt-get", "source", "--download-only", "--only-source", wanted, folder=folder)
        else:
            plan = self.apt("apt-get", "download", "--print-uris", wanted)
            self.apt("apt-get", "download", wanted, folder=folder)
        files = [folder / name for name in re.findall(r"^'[^']+' (\S+) \d+", plan, re.M)]
        if not files or not all(file.is_file() for file in files):
            raise Unavailable(f"the archive did not give {wanted} (see {self.log})")
        return files

    # What follows sets up the private apt.

    def prepare(self):
        if self.failure:
            raise Unavailable(self.failure)
        if self.ready:
            return
        try:
            self.set_up()
        except Unavailable as error:
            self.failure = str(error)  # The libraries after this one need not wait for it again.
            raise
        self.ready = True

    def set_up(self):
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise Unavailable("this machine has no apt-get, so no Debian archive can be read "
                              "(Fedora has it: packages apt, dpkg and dpkg-dev)")
        places = debian_places()
        if not places:
            raise Unavailable("none of this machine's apt sources is a Debian archive")
        keyring = next((path for path in KEYRINGS if path.exists()), None)
        if not keyring:
            raise Unavailable("the keys of Debian's archive are missing: install the package "
                              "debian-archive-keyring")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        self.write_configuration()
        self.write_sources(newer_stanzas(places, keyring))
        output = self.update()
        if TRUST_PROBLEM.search(output):
            keyring = self.newer_keyring(places, keyring)
            self.write_sources(newer_stanzas(places, keyring))
            output = self.update()
        if TRUST_PROBLEM.search(output):
            raise Unavailable("the signatures of the newer suites cannot be verified with the keys "
                              f"at hand ({self.log}): install the newest debian-archive-keyring")
        if not any((self.home / "lists").glob("*_InRelease")):
            raise Unavailable("no index of the Debian archive could be fetched: "
                              f"{first_error(output)} (see {self.log})")

    def newer_keyring(self, places, keyring):
        """The keyring as the machine's own suites have it today.

        A machine that was set up before the newer suites' keys were made lacks them. Its own
        suites, which the keys at hand do verify, carry them in a later debian-archive-keyring. It
        is unpacked here, not installed.
        """
        own = [stanza("deb", uri, suites, keyring) for uri, suites in places]
        self.write_sources(own)
        self.update()
        folder = self.home / "keyring"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.apt("apt-get", "download", "debian-archive-keyring", folder=folder)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        for name in KEYRINGS:
            if (folder / name.relative_to("/")).exists():
                return folder / name.relative_to("/")
        raise Unavailable("the keys of the newer suites are missing here, and the machine's own "
                          "suites do not have them either: install the newest "
                          "debian-archive-keyring")

    def write_configuration(self):
        for name in ["lists/partial", "cache/archives/partial", "sources", "state"]:
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "state" / "status").touch()
        lines = inherited_settings() + [
            'Dir::Etc::Main "/dev/null";',
            'Dir::Etc::Parts "/dev/null";',
            'Dir::Etc::SourceList "/dev/null";',
            f'Dir::Etc::SourceParts "{self.home}/sources";',
            'Dir::Etc::Preferences "/dev/null";',
            'Dir::Etc::PreferencesParts "/dev/null";',
            f'Dir::State "{self.home}/state";',
            f'Dir::State::Lists "{self.home}/lists";',
            f'Dir::State::Status "{self.home}/state/status";',
            f'Dir::Cache "{self.home}/cache";',
            f'APT::Architecture "{self.architecture}";',
            f'APT::Architectures "{self.architecture}";',
            'APT::Get::AllowUnauthenticated "false";',
            'Acquire::AllowInsecureRepositories "false";',
            'Acquire::AllowWeakRepositories "false";',
            'Acquire::AllowReleaseInfoChange "true";',
            'Acquire::Languages "none";',
            'Acquire::GzipIndexes "true";',
            'Acquire::Retries "2";',
        ]
        file = self.home / "apt.conf"
        file.touch(mode=0o600)  # A proxy's address can hold a password.
        file.write_text("\n".join(lines) + "\n")

    def write_sources(self, stanzas):
        (self.home / "sources" / "debian.sources").write_text("\n".join(stanzas))
        shutil.rmtree(self.home / "lists")
        (self.home / "lists" / "partial").mkdir(parents=True)

    def update(self):
        """Fetches the indexes; returns what apt said, whether it liked it or not."""
        return self.apt("apt-get", "update", check=False)

    def apt(self, *command, folder=None, check=True):
        done = subprocess.run([*command, "-q"], cwd=folder or self.home, check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env=os.environ | {"APT_CONFIG": str(self.home / "apt.conf"),
                                                "LC_ALL": "C"})
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout[-20000:]}\n")
        if check and done.returncode != 0 and command[0] != "apt-cache":
            raise Unavailable(f"{' '.join(command)}: {first_error(done.stdout)} (see {self.log})")
        return done.stdout


def first_error(output):
    """What apt gives as its reason: the first line marked so, with the line that explains it."""
    found = re.search(r"^(?:E: |W: |Err:\d+ )(.*(?:\n  .*)?)", output, re.M)
    return re.sub(r"\s+", " ", found[1])[:300] if found else "it gave no reason"


def compare_versions(left, right):
    for relation, result in [("lt", -1), ("gt", 1)]:
        if subprocess.run(["dpkg", "--compare-versions", left, relation, right],
                          check=False).returncode == 0:
            return result
    return 0


def inherited_settings():
    """The machine's settings of how to reach archives: proxies, time limits, authentication."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False)
    return [line for line in dump.stdout.splitlines()
            if line.startswith("Acquire::")
            and not re.match(r"Acquire::(Allow|IndexTargets|Languages|Changelogs)", line)]


def stanza(types, uri, suites, keyring):
    return (f"Types: {types}\nURIs: {uri}\nSuites: {suites}\nComponents: main\n"
            f"Signed-By: {keyring}\n")


def newer_stanzas(places, keyring):
    stanzas = []
    for uri, suites in places:
        wanted = SECURITY_SUITES if is_security(suites) else SUITES
        stanzas += [stanza(types, uri, names, keyring) for types, names in wanted]
    return stanzas


def is_security(suites):
    return all(SECURITY_SUITE.search(suite) for suite in suites.split())


def debian_places():
    """The Debian archives that the machine knows: (address, its suites there), a place once."""
    given = os.environ.get("HYPERION_DEBIAN_MIRROR")
    if given:
        return [(given, "bookworm trixie")]
    places = {}
    for entry in machine_entries():
        suites = [suite for suite in entry["suites"] if DEBIAN_SUITE.match(suite)]
        if not suites or "main" not in entry["components"]:
            continue
        for uri in entry["uris"]:
            # A vendor's archive may use Debian's words for its suites; it has keys of its own.
            if uri.startswith("cdrom:") or not (
                    "debian-archive" in entry["signed_by"] or not entry["signed_by"]):
                continue
            for security in [False, True]:
                chosen = [suite for suite in suites
                          if bool(SECURITY_SUITE.search(suite)) == security]
                if chosen:
                    places.setdefault((uri, security), []).extend(chosen)
    return [(uri, " ".join(dict.fromkeys(suites))) for (uri, _), suites in places.items()]


def machine_entries():
    """Every source that the machine has switched on, in either of apt's two notations."""
    lists = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*.list"))]
    for file in filter(Path.is_file, lists):
        for line in file.read_text(errors="replace").splitlines():
            entry = one_line_entry(line)
            if entry:
                yield entry
    for file in sorted((SOURCES / "sources.list.d").glob("*.sources")):
        for paragraph in re.split(r"\n\s*\n", file.read_text(errors="replace")):
            entry = paragraph_entry(paragraph)
            if entry:
                yield entry


def one_line_entry(line):
    """deb [signed-by=... arch=...] address suite component..."""
    match = re.match(r"\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
    if not match:
        return None
    signed_by = re.search(r"signed-by=(\S+)", match[1] or "")
    return {"uris": [match[2]], "suites": [match[3]], "components": match[4].split(),
            "signed_by": signed_by[1] if signed_by else ""}


def paragraph_entry(paragraph):
    """Types:, URIs:, Suites:, Components:, Signed-By:, a field a line; a long one is indented."""
    text = re.sub(r"^#.*\n?", "", paragraph, flags=re.M)
    text = re.sub(r"\n[ \t]+", " ", text)
    fields = {name.lower(): value for name, value in
              re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", text, re.M)}
    if not fields.get("uris") or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
        return None
    return {"uris": fields["uris"].split(), "suites": fields.get("suites", "").split(),
            "components": fields.get("components", "").split(),
            "signed_by": fields.get("signed-by", "")}
