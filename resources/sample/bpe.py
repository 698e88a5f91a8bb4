# SPDX-License-Identifier: GPL-3.0-or-later
"""Byte-level BPE as GPT-2 defines it, with every digit a token of its own (pre-tokenizer name "smollm").

The splitting rule is exact for letters, digits and marks that Python's `re` and Unicode classes agree on, which
includes every character of the sample world.
"""
import collections
import re

PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
DIGIT = re.compile(r"(\d)")


def byte_alphabet():
    """The printable stand-in of each byte, as in the GPT-2 vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {}, 0
    for byte in range(256):
        if byte in plain:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(256 + extra)
            extra += 1
    return table


ALPHABET = byte_alphabet()


def split(text):
    """Pieces inside which merges happen: single digits first, then words with their leading space."""
    for part in DIGIT.split(text):
        if part:
            yield from PIECES.findall(part)


def spell(piece):
    return [ALPHABET[b] for b in piece.encode()]


class Bpe:
    """Specials first, then the 256 bytes, then one token a merge."""

    def __init__(self, specials, merges):
        self.specials, self.merges = list(specials), [tuple(m) for m in merges]
        self.tokens = self.specials + [ALPHABET[b] for b in sorted(ALPHABET, key=lambda b: ALPHABET[b])] + [a + b for a, b in self.merges]
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        self.ranks = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}

    @classmethod
    def train(cls, text, size, specials):
        """Greedy pair merging over the distinct pieces of `text`; ties go to the alphabetically first pair."""
        words = [[spell(p), n] for p, n in sorted(collections.Counter(split(text)).items())]
        merges = []
        while len(specials) + 256 + len(merges) < size:
            pairs = collections.Counter()
            for word, n in words:
                for pair in zip(word, word[1:]):
                    pairs[pair] += n
            if not pairs:
                break
            best = min(pairs, key=lambda p: (-pairs[p], p))
            merges.append(best)
            for entry in words:
                entry[0] = cls.join(entry[0], best)
        return cls(specials, merges)

    @staticmethod
    def join(word, pair):
        if pair[0] not in word:
            return word
        out, i = [], 0
        while i < len(word):
            if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
                out.append(pair[0] + pair[1])
                i += 2
            else:
                out.append(word[i])
                i += 1
        return out

    def piece(self, piece):
        found = self.cache.get(piece)
        if found is None:
            word = spell(piece)
            while len(word) > 1:
                best = min(zip(word, word[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
                if best not in self.ranks:
                    break
                word = self.join(word, best)
            found = self.cache[piece] = [self.ids[t] for t in word]
        return found

    def encode(self, text):
        out = []
        for piece in split(text):
            out += self.piece(piece)
        return out
