"""Features of prompts, from the gateway's own code (bench/routing/features.cpp)."""

import json
import pathlib
import random
import struct
import subprocess

import numpy
import scipy.sparse

ROOT = pathlib.Path(__file__).resolve().parents[3]
# None of those that learning/edits.py measures with.
COURTESIES = (
    "Hello, ", "Hey! ", "Good evening. ", "Dear assistant, ", "Please, ", "Kindly do this: ",
    "Thanks in advance! ", "I would be glad of some help. ", "Would you mind helping me out? ",
    "Can you please do the following for me? ", "Hello there, I have a question. ",
    "Please take a look at this one. ", "I need your help, please.\n\n", "Hi there, thank you: ",
)  # fmt: skip


def executable(build):
    path = pathlib.Path(build) / "bench" / "routing_features"
    if not path.exists():
        raise SystemExit(f"{path} is missing: ninja -C {build} bench/routing_features")
    return path


class Features:
    """Of many prompts: `structure` (rows x traits), `buckets` (0/1, sparse), `words` (hashes)."""

    polite = None  # features of the same prompts, asked for politely

    @classmethod
    def of_rows(cls, build, rows, seed):
        """Of the rows' prompts, and of what a courtesy before each makes of them."""
        features = cls(build, [row.body() for row in rows])
        generator = random.Random(seed)
        features.polite = cls(
            build, [row.body(generator.choice(COURTESIES) + row.prompt) for row in rows]
        )
        return features

    def __init__(self, build, bodies):
        program = executable(build)
        names = subprocess.run([program, "names"], capture_output=True, check=True, text=True)
        self.names = names.stdout.split()
        lines = "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)
        run = subprocess.run([program], input=lines.encode(), capture_output=True, check=True)
        self._read(run.stdout, len(bodies))

    def _read(self, data, count):
        at = 0
        traits = len(self.names)
        structure, buckets, self.words = [], [], []
        for _ in range(count):
            structure.append(numpy.frombuffer(data, "<f4", traits, at))
            at += 4 * traits
            (size,) = struct.unpack_from("<I", data, at)
            buckets.append(numpy.frombuffer(data, "<u2", size, at + 4))
            at += 4 + 2 * size
            (size,) = struct.unpack_from("<I", data, at)
            self.words.append(numpy.frombuffer(data, "<u4", size, at + 4))
            at += 4 + 4 * size
        if at != len(data):
            raise SystemExit("routing_features wrote more than it was asked for")
        self.structure = numpy.array(structure, dtype=numpy.float32).reshape(count, traits)
        ends = numpy.concatenate([[0], numpy.cumsum([len(row) for row in buckets])]).astype(int)
        places = numpy.concatenate(buckets).astype(int) if count else numpy.zeros(0, int)
        self.buckets = scipy.sparse.csr_matrix(
            (numpy.ones(len(places)), places, ends), shape=(count, 1 << BUCKET_BITS)
        )


# As in src/routing/features.h; weights of other numbers are refused by the gateway.
BUCKET_BITS = 14
KNOWN_BITS = 18
