"""Writes weights in the form that src/routing/weights.cpp reads (src/routing/weight_tables.h)."""

import struct
import zlib

import numpy

from learning.features import BUCKET_BITS, KNOWN_BITS

VERSION = 3
COLUMNS = 16
RARITY = 15
KIND_COUNT = 10
CURVE_POINTS = 16
SUM_ONE = 65536
LOGIT_ONE = 256


class Scaler:
    """Structure in whole numbers of 1/64 standard deviation, as trait_scales.cpp has it."""

    def __init__(self, structure):
        raw = (structure * 256).astype(numpy.int64)
        self.low = numpy.floor(numpy.quantile(raw, 0.002, axis=0)).astype(numpy.int64)
        self.high = numpy.ceil(numpy.quantile(raw, 0.998, axis=0)).astype(numpy.int64)
        cut = numpy.clip(raw, self.low, self.high)
        self.mean = numpy.round(cut.mean(axis=0)).astype(numpy.int64)
        deviation = numpy.maximum(cut.std(axis=0), 8)
        self.factor = numpy.round(64 * 4096 / deviation).astype(numpy.int64)

    def __call__(self, structure):
        raw = numpy.clip((structure * 256).astype(numpy.int64), self.low, self.high)
        return numpy.clip(((raw - self.mean) * self.factor) >> 12, -256, 256)


def full_trees(forest, depth):
    """Trees of scikit-learn as full trees: (thresholds, traits, leaves), a row each."""
    thresholds, traits, leaves = [], [], []
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        threshold = numpy.full(2**depth - 1, 32767, numpy.int16)
        trait = numpy.zeros(2**depth - 1, numpy.uint16)
        leaf = numpy.zeros(2**depth)

        def walk(node, place, level, tree=tree, threshold=threshold, trait=trait, leaf=leaf):
            if level == depth:
                leaf[place - (2**depth - 1)] = tree.value[node].ravel()[0]
            elif tree.children_left[node] < 0:  # a leaf above the lowest row: all goes left
                walk(node, 2 * place + 1, level + 1)
                walk(node, 2 * place + 2, level + 1)
            else:
                threshold[place] = int(numpy.floor(tree.threshold[node]))
                trait[place] = tree.feature[node]
                walk(tree.children_left[node], 2 * place + 1, level + 1)
                walk(tree.children_right[node], 2 * place + 2, level + 1)

        walk(0, 0, 0)
        thresholds.append(threshold)
        traits.append(trait)
        leaves.append(leaf)
    return numpy.array(thresholds), numpy.array(traits), numpy.array(leaves)


def known_set(hashes):
    """The bits of known words, as known_place in text_reading.h finds them."""
    places = (hashes.astype(numpy.uint64) * 0x85EBCA6B & 0xFFFFFFFF) >> (32 - KNOWN_BITS)
    bits = numpy.zeros(1 << KNOWN_BITS, numpy.uint8)
    bits[places.astype(int)] = 1
    return numpy.packbits(bits, bitorder="little").tobytes()


class Parts:
    """What makes weights, in plain numbers: units of `pack` are those of the sums, 1 is SUM_ONE."""

    def __init__(self, scaler, rarity):
        traits = len(scaler.mean)
        self.scaler = scaler
        self.rarity = rarity  # of each bucket, squared
        self.linear = numpy.zeros((traits, COLUMNS))  # for one standard deviation
        self.bias = numpy.zeros(COLUMNS)
        self.words = numpy.zeros((1 << BUCKET_BITS, COLUMNS))  # before division by the length
        self.forest = None  # (thresholds, traits, leaves), leaves already averaged
        self.depth = 1
        self.curve = [(i - 8.0, i - 8.0) for i in range(CURVE_POINTS)]  # sums to logits
        self.lengths = [(0.0, 0.0, 0.0, 0.0)] * KIND_COUNT  # low, high, slope, middle of each kind
        self.known = b"\0" * ((1 << KNOWN_BITS) // 8)
        self.known_words_min = 0.0
        self.other_script_max = 2.0

    def _lengths(self):
        """Rows of low, high, slope and offset, for lengths of 1/64 standard deviation."""
        rows = []
        for low, high, slope, middle in self.lengths:
            rise = round(slope * SUM_ONE / 64)
            rows.append((round(low * 64), round(high * 64), rise, -round(rise * middle * 64)))
        return numpy.array(rows).astype("<i4").tobytes()

    def pack(self):
        """The file."""
        rows = numpy.zeros((1 << BUCKET_BITS, COLUMNS), numpy.int8)
        word_scale = numpy.zeros(COLUMNS, numpy.int32)
        for column in range(RARITY):
            most = numpy.abs(self.words[:, column]).max()
            if most == 0:
                continue
            unit = most / 127
            rows[:, column] = numpy.round(self.words[:, column] / unit)
            word_scale[column] = round(unit * SUM_ONE * 16)
        rows[:, RARITY] = numpy.clip(numpy.round(self.rarity), 1, 127)
        scales = numpy.stack(
            [self.scaler.low, self.scaler.high, self.scaler.mean, self.scaler.factor], axis=1
        )
        linear = numpy.clip(numpy.round(self.linear * 1024), -32767, 32767)
        curve = numpy.round(
            numpy.array([(x * SUM_ONE, y * LOGIT_ONE) for x, y in self.curve])
        ).astype(numpy.int64)
        for i in range(1, len(curve)):
            curve[i, 0] = max(curve[i, 0], curve[i - 1, 0] + 1)
        thresholds, traits, leaves = self.forest
        unit = max(numpy.abs(leaves).max() * SUM_ONE / 32767, 1e-3)
        nodes = numpy.empty(thresholds.size, dtype=[("threshold", "<i2"), ("trait", "<u2")])
        nodes["threshold"] = thresholds.ravel()
        nodes["trait"] = traits.ravel()
        fixed = b"".join(
            (
                scales.astype("<i4").tobytes(),
                linear.astype("<i2").tobytes(),
                numpy.round(self.bias * SUM_ONE).astype("<i4").tobytes(),
                word_scale.astype("<i4").tobytes(),
                curve.astype("<i4").tobytes(),
                self._lengths(),
                struct.pack(
                    "<iiiII",
                    round(unit * 65536),
                    round(self.known_words_min * 1024),
                    round(self.other_script_max * 1024),
                    len(thresholds),
                    self.depth,
                ),
            )
        )
        payload = b"".join(
            (
                fixed,
                rows.tobytes(),
                nodes.tobytes(),
                numpy.round(leaves * SUM_ONE / unit).astype("<i2").tobytes(),
                self.known,
            )
        )
        head = struct.pack(
            "<8sIIIIIIII",
            b"hypweigh",
            VERSION,
            len(payload) + 40,
            zlib.crc32(payload),
            len(self.scaler.mean),
            COLUMNS,
            BUCKET_BITS,
            KNOWN_BITS,
            len(fixed),
        )
        return head + payload
