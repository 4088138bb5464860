"""How each third-party library is built: static, position independent, no tests or tools.

build() returns a folder laid out as build/deps is (include, lib, share/licenses). probe() then
links and runs a small program, so that a library that does not fit this machine's compiler or C
library is found here and not in the middle of Hyperion's build. Output goes to the log; a failure
raises BuildFailed, which names the log.
"""

import inspect
import os
import platform
import shlex
import shutil
import subprocess

# Debug lines and frame pointers cost nothing and make profiles and crash reports readable.
COMMON_FLAGS = ["-O2", "-g1", "-fPIC", "-fno-omit-frame-pointer", "-fstack-protector-strong"]


class BuildFailed(Exception):
    """The message tells where to look."""


def compiler(language):
    """The command of the C ("c") or C++ ("c++") compiler."""
    variable, default = {"c": ("CC", "gcc"), "c++": ("CXX", "g++")}[language]
    return shlex.split(os.environ.get(variable) or default)


def run(command, folder, log):
    """Runs one command of a recipe; its output goes to the log."""
    command = [str(word) for word in command]
    print(f"$ {shlex.join(command)}", file=log, flush=True)
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                              stderr=subprocess.STDOUT, check=False,
                              env=os.environ | {"LC_ALL": "C"})
    except FileNotFoundError as error:
        raise BuildFailed(f"{command[0]} is not installed; ./dev setup installs what is needed, "
                          "and third_party/packages.txt lists it under [build]") from error
    if done.returncode != 0:
        raise BuildFailed(f"{command[0]} failed; the whole output is in {log.name}")


def jobs():
    return os.environ.get("HYPERION_JOBS") or str(len(os.sched_getaffinity(0)))


def flags(source):
    """Our compiler flags, with this machine's folders kept out of the binary."""
    return [*COMMON_FLAGS, f"-ffile-prefix-map={source}={source.name}"]


def build_liburing(source, stage, log):
    run(["./configure", f"--cc={shlex.join(compiler('c'))}", f"--cxx={shlex.join(compiler('c++'))}",
         f"--prefix={stage}", f"--includedir={stage}/include", f"--libdir={stage}/lib"],
        source, log)
    # Its own choice is no stack protector: it is built without the C library.
    chosen = " ".join([*flags(source), "-fno-stack-protector"])
    run(["make", "-C", "src", f"-j{jobs()}", "ENABLE_SHARED=0", f"CFLAGS={chosen}", "install"],
        source, log)
    for path in (stage / "lib").iterdir():
        if path.name != "liburing.a":
            path.unlink()


# wolfSSL in the smallest form that serves: TLS 1.2 and 1.3 with AEAD ciphers over ECDHE, and
# certificates signed with RSA or ECDSA over SHA-2. What is not compiled in cannot be negotiated.
WOLFSSL_OPTIONS = [
    "--enable-option-checking=fatal", "--enable-reproducible-build",
    "--enable-static", "--disable-shared", "--with-pic",
    "--disable-examples", "--disable-crypttests", "--disable-benchmark",
    "--enable-tls13", "--enable-tlsv12", "--disable-oldtls", "--disable-dtls",
    "--enable-sni", "--enable-alpn", "--enable-extended-master",
    "--enable-aesgcm", "--enable-chacha", "--enable-poly1305", "--enable-hkdf",
    "--enable-ecc", "--enable-curve25519", "--enable-supportedcurves", "--with-eccminsz=256",
    "--enable-rsa", "--enable-rsapss", "--enable-sha384", "--enable-sha512",
    # Without SHA-1 no certificate signed with it is accepted. Roots signed with it still load: a
    # root's own signature is not what makes it trusted.
    "--disable-sha", "--disable-md5", "--disable-sha224", "--disable-sha3",
    "--disable-shake128", "--disable-shake256",
    "--disable-psk", "--disable-dh", "--disable-anon", "--disable-des3", "--disable-arc4",
    "--disable-enc-then-mac", "--disable-pkcs12", "--disable-ocsp", "--disable-crl",
    "--disable-opensslextra", "--disable-opensslall", "--disable-oldnames",
    "--enable-ip-alt-name",
    # A server may send certificates that lead nowhere, such as a copy of a trusted root signed by
    # one that has been removed since (many large sites do). Ignore them, as browsers do, when the
    # server's own certificate leads to a trusted root.
    "--enable-altcertchains",
]
WOLFSSL_ASSEMBLY = {
    # The processor's abilities are looked up at run time.
    "x86_64": ["--enable-intelasm", "--enable-aesni"],
    # Untested, and the processor must have the crypto extension.
    "aarch64": ["--enable-armasm"],
}
WOLFSSL_DEFINES = [
    "-DWOLFSSL_MIN_RSA_BITS=2048",
    "-DWOLFSSL_AEAD_ONLY",
    # The verify callback is called on success too, with the peer's certificate, for our own check
    # of names. Keeping the certificate (KEEP_PEER_CERT) and session tickets would cost 2 KB a
    # connection, keeping the whole chain (SESSION_CERTS) 37 KB.
    "-DWOLFSSL_ALWAYS_VERIFY_CB",
    # The global session cache has a lock, and resumption saved no CPU when measured.
    "-DNO_SESSION_CACHE",
    # One call to seed a generator, where /dev/urandom takes open, read and close.
    "-DWOLFSSL_GETRANDOM",
    # Roots of GoDaddy, Starfield and SECOM have the serial number 0, which 5.7.2 refuses. The
    # first switch allows it and does nothing else in a build without OPENSSL_EXTRA; newer versions
    # have the second. WOLFSSL_NO_ASN_STRICT would lift other checks as well.
    "-DWOLFSSL_PYTHON", "-DWOLFSSL_ASN_ALLOW_0_SERIAL",
]


def build_wolfssl(source, stage, log):
    run(["./autogen.sh"], source, log)
    # In CFLAGS its macro would become part of the installed options.h, and so of our own sources.
    fortified = shlex.join([*compiler("c"), "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"])
    run(["./configure", f"--prefix={stage}", f"--libdir={stage}/lib",
         *WOLFSSL_OPTIONS, *WOLFSSL_ASSEMBLY[platform.machine()],
         "--enable-sp=yes,4096", "--enable-sp-asm",
         f"CC={fortified}", f"CFLAGS={' '.join([*flags(source), *WOLFSSL_DEFINES])}"], source, log)
    run(["make", f"-j{jobs()}"], source, log)
    run(["make", "install"], source, log)
    for name in ["bin", "share", "lib/pkgconfig"]:
        shutil.rmtree(stage / name, ignore_errors=True)
    (stage / "lib" / "libwolfssl.la").unlink(missing_ok=True)


def build_mimalloc(source, stage, log):
    # One file includes all others. Without MI_MALLOC_OVERRIDE it leaves malloc alone.
    run([*compiler("c"), "-std=gnu11", *flags(source), "-DNDEBUG", "-Iinclude",
         "-fvisibility=hidden", "-ftls-model=initial-exec", "-fno-builtin-malloc",
         "-c", "src/static.c", "-o", "mimalloc.o"], source, log)
    run(["ar", "rcsD", stage / "lib" / "libmimalloc.a", "mimalloc.o"], source, log)
    shutil.copy(source / "include" / "mimalloc.h", stage / "include")


def build_llhttp(source, stage, log):
    take_package(source, stage, "llhttp.h", "libllhttp.a", log)


def build_simdjson(source, stage, log):
    take_package(source, stage, "simdjson.h", "libsimdjson_static.a", log)
    (stage / "lib" / "libsimdjson_static.a").rename(stage / "lib" / "libsimdjson.a")


def take_package(source, stage, header, library, log):
    """Takes one header and one static library out of an unpacked -dev package."""
    for name, folder in [(header, "include"), (library, "lib")]:
        found = sorted(source.rglob(name))
        if not found:
            raise BuildFailed(f"the package holds no {name}")
        print(f"taking {found[0]}", file=log, flush=True)
        shutil.copy(found[0], stage / folder)


BUILDERS = {
    "liburing": build_liburing,
    "llhttp": build_llhttp,
    "simdjson": build_simdjson,
    "wolfssl": build_wolfssl,
    "mimalloc": build_mimalloc,
}

# A program for each library that must link, run and end well.
PROBES = {
    "liburing": ("c", """
#include <liburing.h>
int main(void) { return io_uring_major_version() != 2 || IORING_SETUP_DEFER_TASKRUN == 0; }
"""),
    "llhttp": ("c", r"""
#include <llhttp.h>
#include <string.h>
int main(void) {
  const char* request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  llhttp_settings_t settings;
  llhttp_t parser;
  llhttp_settings_init(&settings);
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  return llhttp_execute(&parser, request, strlen(request)) != HPE_OK;
}
"""),
    "simdjson": ("c++", """
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>
int main() {
  simdjson::ondemand::parser parser;
  simdjson::padded_string text(std::string_view("{\\"a\\": 7}"));
  simdjson::ondemand::document document;
  std::int64_t value = 0;
  if (parser.iterate(text).get(document) || document["a"].get(value)) return 1;
  return value != 7 || document.at_end();
}
"""),
    "wolfssl": ("c", """
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <string.h>
int main(void) {
  char ciphers[4096] = "";
  WOLFSSL_CTX* context;
  if (wolfSSL_Init() != WOLFSSL_SUCCESS) return 1;
  context = wolfSSL_CTX_new(wolfTLS_client_method());
  if (context == NULL || wolfSSL_get_ciphers(ciphers, sizeof ciphers) != WOLFSSL_SUCCESS) return 2;
  wolfSSL_CTX_free(context);
  return strstr(ciphers, "TLS13-AES128-GCM-SHA256") == NULL || strstr(ciphers, "CBC") != NULL ||
         strstr(ciphers, "NULL") != NULL;
}
"""),
    "mimalloc": ("c", """
#include <mimalloc.h>
int main(void) {
  char* memory = mi_malloc(100);
  if (mi_version() / 100 != 2 || !mi_is_in_heap_region(memory)) return 1;
  mi_free(memory);
  return 0;
}
"""),
}


def text_of(name):
    """All of this file that decides how one library is built, for its stamp."""
    parts = [COMMON_FLAGS, PROBES[name], inspect.getsource(BUILDERS[name])]
    if name == "wolfssl":
        parts += [WOLFSSL_OPTIONS, WOLFSSL_ASSEMBLY, WOLFSSL_DEFINES]
    return repr(parts)


def unpack(kind, files, source, log):
    if kind == "package":
        run(["dpkg-deb", "-x", files[0], source], source.parent, log)
        return
    description = next(file for file in files if file.name.endswith(".dsc"))
    # This checks the hashes in the description once more, and applies the patches. Who signed the
    # description does not matter: its own hash, or the archive's signature, was checked before.
    run(["dpkg-source", "-x", description, source], source.parent, log)


def keep_licence(name, source, stage):
    folder = stage / "share" / "licenses" / name
    folder.mkdir(parents=True)
    for pattern in ["usr/share/doc/*/copyright", "debian/copyright", "COPYING*", "LICENS*"]:
        for file in sorted(source.glob(pattern)):
            shutil.copy(file, folder)


def build(name, kind, files, work, log):
    source, stage = work / name, work / "stage"
    unpack(kind, files, source, log)
    for folder in ["include", "lib"]:
        (stage / folder).mkdir(parents=True)
    BUILDERS[name](source, stage, log)
    keep_licence(name, source, stage)
    return stage


def probe(name, stage, libraries, work, log):
    language, text = PROBES[name]
    standard, ending = {"c": ("-std=gnu11", "c"), "c++": ("-std=c++20", "cpp")}[language]
    (work / f"probe.{ending}").write_text(text)
    run([*compiler(language), standard, "-O0", "-w", "-isystem", stage / "include",
         f"probe.{ending}", *(stage / "lib" / library for library in libraries),
         "-lm", "-pthread", "-o", "probe"], work, log)
    run(["./probe"], work, log)
