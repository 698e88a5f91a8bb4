# SPDX-License-Identifier: GPL-3.0-or-later
"""What every text of the sample world is written with: chance, reservation, stock phrases, statements and questions.

Nothing here decides what a text is about (stories.py does). The two splits are kept apart on two levels:

* combinations (who, what, where; a pair of numbers; a name): one in nine is reserved. A training text that would
  contain a reserved one is thrown away; every question of a task turns on a reserved one.
* sentences: one in nine, by the checksum of its letters, is reserved too. A writer rephrases a sentence until it is
  on its own side, so whole sentences of the held-out text stand in the training text only where nothing else could be said.
"""
import random
import zlib

from lexicon import ADJECTIVES, ANIMALS, COLOURS, DAYS, MANNERS, MOODS, PEOPLE, PLACES, THINGS, TIMES, WEATHER


class Rejected(Exception):
    """The text cannot go on within its split; the next draw will do."""


def reserved(*combination):
    """True for the one combination in nine that only held-out texts may use."""
    return zlib.crc32("|".join(map(str, combination)).encode()) % 9 == 0


def cap(text):
    return text[0].upper() + text[1:]


class Question:
    """The text before the answer is everything up to part `at`, which is the answer."""

    def __init__(self, kind, at, candidates, unseen):
        self.kind, self.at, self.candidates, self.unseen = kind, at, candidates, unseen


class Writer:
    def __init__(self, split, seed):
        self.heldout = split != "train"
        self.rng = random.Random(f"{split}/{seed}")
        self.pick = self.rng.choice
        self.parts, self.questions = [], []  # the text so far: (words, is it an answer)

    def chance(self, p):
        return self.rng.random() < p

    def choose(self, make, key):
        """Draws until the combination belongs to this split."""
        while True:
            drawn = make()
            if reserved(*key(drawn)) == self.heldout:
                return drawn

    def sample(self, items, count, without=()):
        return self.rng.sample([i for i in items if i not in without], count)

    def note(self, *combination):
        """The text states this combination."""
        if not self.heldout and reserved(*combination):
            raise Rejected

    # -- statements and questions ---------------------------------------------------------------------------------
    def phrase(self, options, ending=""):
        """One of the sentences `options` makes, such that it (with its ending) is on this side of the split."""
        for _ in range(30):
            words = self.pick(options())
            if reserved("sentence", words + ending) == self.heldout:
                return words
        if not self.heldout:
            raise Rejected
        return words

    def tell(self, options):
        words = self.phrase(options)
        self.parts.append((words, False))
        return words

    def ask(self, kind, asks, answer, candidates, *combination):
        """Asks and answers. Training does not ask about what it must not know."""
        unseen = reserved(*combination)
        if unseen and not self.heldout:
            raise Rejected
        self.parts.append((self.phrase(asks, answer), False))
        self.parts.append((answer, True))
        self.questions.append(Question(kind, len(self.parts) - 1, [f"{c}" for c in dict.fromkeys(candidates)], unseen))

    # -- words ----------------------------------------------------------------------------------------------------
    def thing(self, name):
        adjectives = [ADJECTIVES[zlib.crc32(f"{name}{i}".encode()) % len(ADJECTIVES)] for i in range(4)]
        return f"the {self.pick(adjectives)} {name}" if self.chance(0.2) else f"the {name}"

    def person(self, person):
        return f"{person[0]} the {person[2]}" if self.chance(0.12) else person[0]

    @staticmethod
    def one(words):
        return ("an " if words[0] in "aeiou" else "a ") + words

    @staticmethod
    def at(place):
        return f"{place[0]} the {place[1]}"

    @staticmethod
    def she(person):
        return "she" if person[1] == "f" else "he"

    @staticmethod
    def her(person):
        return "her" if person[1] == "f" else "his"

    def manner(self, chance=0.15):
        """An adverbial with its leading space, or nothing."""
        return " " + self.pick(MANNERS) if self.chance(chance) else ""

    def scene(self, chance):
        if not self.chance(chance):
            return

        def options():
            season = self.pick(list(WEATHER))
            clause, time, day = self.pick(WEATHER[season][0]), self.pick(TIMES), self.pick(DAYS)
            return [f"It was {'an' if time[0] in 'ae' else 'a'} {time} in {season}, and {clause}.", f"One {season} {time} {clause}.",
                    f"{cap(clause)} that {day}.", f"That {time} {clause}.", f"{cap(season)} had come, and {clause}.",
                    f"It was {day}, and {clause}.", f"{self.pick(WEATHER[season][1])} that {day} {time}.",
                    f"The {season} was {self.pick(['long', 'mild', 'strange', 'short', 'early', 'late'])} that year; {clause}."]
        self.tell(options)

    def aside(self, person, place, chance):
        """Something that has nothing to do with the matter."""
        if self.chance(chance):
            self.tell(lambda: [
                f"{person[0]} was {self.pick(MOODS)} and {self.pick(MOODS)} at once.",
                f"{cap(self.one(self.pick(COLOURS)))} {self.pick(ANIMALS)} watched{self.manner()} from the {self.pick(PLACES)[1]}.",
                f"{self.person(self.pick(PEOPLE))} waved from a distance{self.manner()}.",
                f"There was a smell of {self.pick(['bread', 'smoke', 'rain', 'fish', 'apples', 'paint', 'hay'])} {self.at(place)}.",
                f"Somewhere near the {self.pick(PLACES)[1]} {self.one(self.pick(ANIMALS))} made a noise{self.manner()}.",
                f"{person[0]} hummed a song about {self.one(self.pick(COLOURS))} {self.pick(ANIMALS)}."])

    # -- whole texts ----------------------------------------------------------------------------------------------
    def write(self, kind):
        """Parts of one text of this kind, whose questions are in self.questions."""
        while True:
            self.parts, self.questions = [], []
            try:
                getattr(self, kind)()
            except Rejected:
                continue
            if not self.heldout or any(q.unseen for q in self.questions):
                return self.parts

    def before(self, question):
        return " ".join(words.strip() for words, _ in self.parts[:question.at])
