#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small world the sample model is trained on: a seeded writer of short English texts.

People, places and things are fixed; each text is a little simulation whose later sentences follow from its earlier
ones (where a thing ended up, who holds it, how many there are, who said what, why something happened).

Two splits. Every text turns on a *combination* (person x thing x place, a pair of numbers, a pair of people, a name).
One combination in about nine is reserved: training never uses a reserved combination, the held-out text and the tasks
always ask about one.

    world.py --split train --seed 1 --bytes 1000000 > text.txt
    world.py --split heldout --tasks 60 > tasks.json
"""
import argparse
import json
import random
import sys
import zlib

# name, gender, trade
PEOPLE = [tuple(p.split(":")) for p in (
    "Mara:f:miller Otto:m:smith Ines:f:baker Bram:m:sailor Tessa:f:teacher Rolf:m:shepherd Juno:f:weaver Edric:m:carpenter "
    "Lena:f:doctor Hugo:m:cook Petra:f:gardener Silas:m:fisherman Nadia:f:potter Felix:m:painter Greta:f:tailor Amos:m:ferryman "
    "Wilma:f:singer Casper:m:clerk Dora:f:beekeeper Ivan:m:mason Ruth:f:printer Jonas:m:cobbler Alma:f:judge Viktor:m:porter "
    "Clara:f:nurse Milo:m:farmer Freya:f:hunter Anton:m:brewer Signe:f:glazier Kurt:m:guard Bettina:f:dancer Oskar:m:roofer "
    "Yvonne:f:spinner Niels:m:diver Paula:f:grocer Tobias:m:drummer").split()]
# preposition, place
PLACES = [tuple(p.split(":")) for p in (
    "in:mill in:bakery at:harbour at:market in:library at:well on:bridge in:barn at:forge in:garden in:chapel in:school at:inn "
    "in:orchard in:stable in:tower in:cellar in:kitchen in:attic in:boathouse in:meadow in:workshop at:lighthouse at:quarry "
    "on:hill in:greenhouse at:station in:courtyard").split()]
THINGS = ("lantern key basket rope kettle hammer letter drum mirror ladder compass blanket trumpet saddle bucket candle clock "
          "brush bottle shovel map ring flute umbrella spoon cloak barrel saw needle coin helmet pillow telescope whistle "
          "teapot notebook").split()
COLOURS = "red blue green yellow white black brown grey purple orange".split()
ADJECTIVES = ("old new small heavy broken shiny dusty little wooden long rusty clean lovely strange plain round cracked fine "
              "borrowed painted").split()
GOODS = ("apples pears eggs plums nails buttons candles shells loaves onions stamps marbles ribbons coins carrots cherries "
         "bricks walnuts cups feathers tickets pencils").split()
ANIMALS = "dog cat goat horse hen donkey owl fox rabbit goose".split()
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
MOODS = "glad tired cheerful worried quiet curious proud hungry sleepy calm".split()

WEATHER = {  # season -> (what the weather did, what one could see of it)
    "spring": (["a soft rain was falling", "the wind was fresh", "the sun came out", "the birds were loud", "the last snow melted",
                "clouds raced over the hills", "everything smelled of earth"],
               ["The paths were wet", "The trees swayed", "The first flowers opened", "Somebody sang at a window", "Lambs ran about",
                "The stream was full", "Washing hung on every line", "A boat was being painted"]),
    "summer": (["it was hot and dry", "a storm was coming", "not a leaf moved", "the sun was high", "thunder rolled far away",
                "the air was full of dust", "the swallows flew low"],
               ["The ground was like stone", "The sky turned dark", "Everyone looked for shade", "The roofs were warm",
                "Flies danced in the light", "The dogs slept under the carts", "Children swam in the river", "The hay was nearly dry"]),
    "autumn": (["leaves were falling", "a fog hung over the river", "a cold wind blew", "it rained without end", "the geese flew south",
                "the evenings grew short", "a grey sky lay over the town"],
               ["The yard was full of leaves", "Nobody could see the far bank", "Doors banged all day", "The street was full of puddles",
                "Barrels rolled down to the cellars", "Mushrooms were for sale", "The last carts came home", "Wet boots stood in every hall"]),
    "winter": (["snow lay on the roofs", "the river was frozen", "it was bitterly cold", "the nights were long", "ice hung from the gutters",
                "a pale sun shone", "fresh snow was falling"],
               ["Smoke rose from every chimney", "Children slid on the ice", "People kept close to the fire", "Lamps burned early",
                "Crows sat on the fences", "Every step could be heard", "The horses wore blankets", "Soup stood on every stove"])}
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MANNERS = ("without a word,with a smile,before noon,after lunch,in a hurry,for the second time,as usual,at last,by chance,all alone,"
           "as quickly as possible,with great care,a little later,to everybody's surprise,just in time,in silence,once more,"
           "with a sigh,at sunrise,before the bells rang,while the others slept,on tiptoe,as agreed,for some reason,without thinking,"
           "after a short rest,with both hands,two days before the feast,on the way home,like every week").split(",")
TIMES = "morning afternoon evening day night".split()

# cause, effect (person P, place L), what follows: the order never changes, so an effect has one true cause among many.
CAUSES = [
    ("the lamp had run out of oil", "it was dark {L}", "{S} went to fetch oil"),
    ("the roof had a hole", "the floor was wet {L}", "{S} climbed up with new tiles"),
    ("the fire had gone out", "it was cold {L}", "{S} carried in some wood"),
    ("somebody had left the gate open", "the sheep were gone {L}", "{S} ran after them"),
    ("the bell had rung too early", "everybody was half asleep {L}", "{S} made strong tea"),
    ("the flour sacks were empty", "there was no bread {L}", "{S} rode to buy flour"),
    ("a window had been left open", "papers lay all over the floor {L}", "{S} picked them up one by one"),
    ("the pipe had frozen", "there was no water {L}", "{S} warmed it with a hot cloth"),
    ("a wheel had broken", "the cart stood still {L}", "{S} called for a new wheel"),
    ("the milk had turned sour", "the soup tasted bad {L}", "{S} poured it away"),
    ("the clock had stopped", "nobody knew the hour {L}", "{S} wound it up again"),
    ("a mouse had chewed the rope", "the swing had fallen down {L}", "{S} tied a new knot"),
    ("the ink had dried up", "the letter was not finished {L}", "{S} mixed fresh ink"),
    ("the chimney was blocked", "the room was full of smoke {L}", "{S} swept out the soot"),
    ("the dog had been shut out", "there was loud barking {L}", "{S} opened the door"),
    ("the key had been lost", "the chest stayed shut {L}", "{S} searched every pocket"),
    ("the rain had come too soon", "the hay was spoiled {L}", "{S} spread it out to dry"),
    ("the bees had swarmed", "nobody dared to sit down {L}", "{S} brought a hive and some smoke"),
]
COMPARE = [("taller", "tallest", "shorter", "shortest"), ("older", "oldest", "younger", "youngest"),
           ("faster", "fastest", "slower", "slowest"), ("stronger", "strongest", "weaker", "weakest"),
           ("richer", "richest", "poorer", "poorest"), ("louder", "loudest", "quieter", "quietest")]
SYLLABLES = ("ka ri mo ve lo than dru shi bel or wen za fi ul qua ne tor pim gra ses yo hal ber dax vin mer lu jo sko nar tee "
             "bur olm fen gil ra wick thu zel mi ash dor cro e u pae lin xan rho ste via dun").split()
ACCENTS = {"a": "á", "e": "é", "i": "ï", "o": "ö", "u": "ü"}


def reserved(*combination):
    """True for the one combination in nine that only held-out texts may use."""
    return zlib.crc32("|".join(map(str, combination)).encode()) % 9 == 0


def number_family(a, b):
    """a + b, b + a and both differences are one combination."""
    return ("sum", min(a, b), max(a, b))


def cap(text):
    return text[0].upper() + text[1:]


class Writer:
    """Writes texts of one split. A text is (sentences, questions); a question is
    (kind, text before the answer, answer, candidates)."""

    def __init__(self, split, seed):
        self.heldout = split != "train"
        self.rng = random.Random(f"{split}/{seed}")
        self.pick = self.rng.choice

    def chance(self, p):
        return self.rng.random() < p

    def allowed(self, *combination):
        return self.heldout or not reserved(*combination)

    def choose(self, make, key):
        """Draws combinations until one belongs to this split."""
        while True:
            drawn = make()
            if reserved(*key(drawn)) == self.heldout:
                return drawn

    def sample(self, items, count, without=()):
        return self.rng.sample([i for i in items if i not in without], count)

    # -- words ---------------------------------------------------------------------------------------------------
    def thing(self, name, colour=None):
        adjectives = [ADJECTIVES[zlib.crc32(f"{name}{i}".encode()) % len(ADJECTIVES)] for i in range(4)]
        word = colour or (self.pick(adjectives) if self.chance(0.35) else "")
        return f"the {word} {name}" if word else f"the {name}"

    def person(self, person):
        return f"{person[0]} the {person[2]}" if self.chance(0.22) else person[0]

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

    def manner(self, chance=0.3):
        """An adverbial with its leading space, or nothing."""
        return " " + self.pick(MANNERS) if self.chance(chance) else ""

    def scene(self):
        season = self.pick(list(WEATHER))
        clause, result = self.pick(WEATHER[season][0]), self.pick(WEATHER[season][1])
        time = self.pick(TIMES)
        day = self.pick(DAYS)
        out = [self.pick([f"It was {'an' if time[0] in 'ae' else 'a'} {time} in {season}, and {clause}.",
                          f"One {season} {time} {clause}.", f"{cap(clause)} that {day}.", f"On {day} {clause}, as it often does in {season}."
                          if clause.endswith(("coming", "falling", "blew", "end", "out")) else f"That {time} {clause}.",
                          f"{cap(season)} had come, and {clause}.", f"It was {day}, and {clause}.",
                          f"The {season} was {self.pick(['long', 'mild', 'strange', 'short', 'early', 'late'])} that year; {clause}."])]
        if self.chance(0.5):
            out.append(f"{result}.")
        return out

    def aside(self, person, place):
        animal = self.pick(ANIMALS)
        return self.pick([
            f"{person[0]} was {self.pick(MOODS)} and {self.pick(MOODS)} at once.",
            f"{cap(self.one(self.pick(COLOURS)))} {animal} watched{self.manner()} from the {self.pick(PLACES)[1]}.",
            f"{self.person(self.pick(PEOPLE))} waved from a distance{self.manner()}.",
            f"There was a smell of {self.pick(['bread', 'smoke', 'rain', 'fish', 'apples', 'paint', 'hay'])} {self.at(place)}.",
            f"Somewhere near the {self.pick(PLACES)[1]} {self.one(animal)} made a noise{self.manner()}.",
            f"{person[0]} hummed a song about {self.one(self.pick(COLOURS))} {self.pick(THINGS)}.",
            f"Nobody spoke of the {self.pick(THINGS)} that day."])

    # -- kinds of text -------------------------------------------------------------------------------------------
    def journey(self):
        """Things are carried about; at the end somebody asks where they are and who has them."""
        hero, thing, goal = self.choose(lambda: (self.pick(PEOPLE), self.pick(THINGS), self.pick(PLACES)),
                                        lambda c: ("carry", c[0][0], c[1], c[2][1]))
        people = [hero] + self.sample(PEOPLE, self.rng.randint(1, 2), (hero,))
        things = [thing] + self.sample(THINGS, self.rng.randint(1, 2), (thing,))
        places = [goal] + self.sample(PLACES, 3, (goal,))
        at = {p: self.pick(places) for p in people}
        at[hero] = self.pick(places[1:])
        held = {t: None for t in things}
        seen = {}
        out = self.scene() if self.chance(0.5) else []
        owners = {}
        for t in things:  # who starts with what
            options = [p for p in people if self.allowed("carry", p[0], t, at[p][1])]
            owner = hero if t == thing and self.chance(0.6) else (self.pick(options) if options else hero)
            if not self.allowed("carry", owner[0], t, at[owner][1]):
                at[owner] = next(l for l in places[1:] + PLACES if self.allowed("carry", owner[0], t, l[1]))
            owners[t] = owner
        for p in people:
            mine = [t for t in things if owners[t] is p]
            if mine and not all(self.allowed("carry", p[0], t, at[p][1]) for t in mine):
                return self.journey()
            seen[at[p]] = True
            out.append(self.pick([f"{self.person(p)} was {self.at(at[p])}.", f"{self.person(p)} stood {self.at(at[p])}.",
                                  f"{self.person(p)} worked {self.at(at[p])}{self.manner()}.", f"{self.person(p)} waited {self.at(at[p])}{self.manner()}.",
                                  f"{cap(self.at(at[p]))} was {self.person(p)}.",
                                  f"{self.person(p)} had been {self.at(at[p])} since {self.pick(TIMES[:3])}."]))
            for t in mine:
                held[t] = p
                out.append(self.pick([f"{p[0]} picked up {self.thing(t)}{self.manner()}.", f"{cap(self.she(p))} took {self.thing(t)}{self.manner()}.",
                                      f"{cap(self.she(p))} carried {self.thing(t)} under {self.her(p)} arm.", f"{p[0]} had {self.thing(t)} with {self.her(p)} things.",
                                      f"{p[0]} found {self.thing(t)} there and kept it.",
                                      f"There {self.she(p)} found {self.thing(t)}."]))
        lying = {}

        def go(p, l):
            at[p] = l
            seen[l] = True
            out.append(self.pick([f"{self.person(p)} went to the {l[1]}{self.manner()}.", f"{p[0]} walked to the {l[1]}{self.manner()}.",
                                  f"Then {p[0]} hurried to the {l[1]}.", f"{cap(self.pick(MANNERS))}, {p[0]} set out for the {l[1]}.",
                                  f"On {self.pick(DAYS)} {p[0]} moved on to the {l[1]}.", f"{p[0]} was sent to the {l[1]}.",
                                  f"{p[0]} came to the {l[1]}, {self.pick(MOODS)} and {self.pick(MOODS)}.",
                                  f"Soon {p[0]} was {self.at(l)}."]))

        def give(p, q, t):
            held[t] = q
            out.append(self.pick([f"{p[0]} gave {self.thing(t)} to {q[0]}{self.manner()}.", f"{p[0]} handed {q[0]} {self.thing(t)}{self.manner()}.",
                                  f"{q[0]} asked for {self.thing(t)}, and {p[0]} gave it up.",
                                  f'"Please look after {self.thing(t)}," said {p[0]} to {q[0]}, who took it.']))

        def drop(p, t):
            held[t] = None
            lying[t] = at[p]
            who = self.she(p) if out[-1].startswith((p[0], f"Then {p[0]}", f"Soon {p[0]}")) else p[0]
            out.append(self.pick([f"{p[0]} left {self.thing(t)} there{self.manner()}.", f"{cap(who)} put {self.thing(t)} down{self.manner()}.",
                                  f"There {p[0]} set down {self.thing(t)}.", f"{cap(who)} forgot {self.thing(t)} there.", f"{p[0]} hid {self.thing(t)} {self.at(at[p])}."]))

        for _ in range(self.rng.randint(1, 5)):
            p = self.pick(people)
            carried = [t for t in things if held[t] is p]
            near = [q for q in people if q is not p and at[q] == at[p]]
            roll = self.rng.random()
            if roll < 0.25 and carried and near:
                t, q = self.pick(carried), self.pick(near)
                if self.allowed("carry", q[0], t, at[p][1]):
                    give(p, q, t)
            elif roll < 0.4 and carried and carried[-1] != thing:
                drop(p, carried[-1])
            elif roll < 0.9:
                options = [l for l in places if l != at[p] and all(self.allowed("carry", p[0], t, l[1]) for t in carried)]
                if options:
                    go(p, self.pick(options))
            else:
                out.append(self.aside(p, at[p]))
        # The combination the text is about: the hero brings the thing to the goal.
        if held[thing] is not hero:
            giver = held[thing]
            if giver is None:
                if at[hero] != lying[thing]:
                    go(hero, lying[thing])
                if not self.allowed("carry", hero[0], thing, at[hero][1]):
                    return self.journey()
                held[thing] = hero
                out.append(f"{hero[0]} took {self.thing(thing)} again.")
            else:
                if at[hero] != at[giver]:
                    go(hero, at[giver])
                if not self.allowed("carry", hero[0], thing, at[hero][1]):
                    return self.journey()
                give(giver, hero, thing)
        others = [t for t in things if t != thing and held[t] is hero]
        if at[hero] != goal:
            if not all(self.allowed("carry", hero[0], t, goal[1]) for t in others):
                return self.journey()
            go(hero, goal)
        keeps = self.chance(0.5)
        if not keeps:
            drop(hero, thing)
        for p in people[1:]:  # what the others do after that changes nothing for the thing
            if self.chance(0.5):
                options = [l for l in places if l != at[p] and all(
                    self.allowed("carry", p[0], t, l[1]) for t in things if held[t] is p)]
                if options:
                    go(p, self.pick(options))
        if not keeps and self.chance(0.5):
            go(hero, self.pick(places[1:]))
            if not all(self.allowed("carry", hero[0], t, at[hero][1]) for t in others):
                return self.journey()
        questions = []
        for t in [thing] + ([] if self.heldout else self.sample(things[1:], 1)):
            where = at[held[t]] if held[t] else lying[t]
            cands = [f" {self.at(l)}." for l in seen]
            questions.append(("where", self.pick([f"Where is the {t} now? It is", f"Where was the {t} in the end? It was",
                                                  f"So the {t} was", f"Whoever needs the {t} will find it", f"By {self.pick(DAYS)} the {t} was",
                                                  f"If you look for the {t}, look", f"That is how the {t} came to be",
                                                  f'"Where is the {t}?" asked {self.pick(PEOPLE)[0]}. It was']),
                              f" {self.at(where)}.", cands))
            if held[t]:
                questions.append(("holder", self.pick([f"Who has the {t}? It is with", f"In the end the {t} was carried by",
                                                       f"Who was holding the {t}? It was", f"On {self.pick(DAYS)} the {t} was still with",
                                                       f'"Who has my {t}?" cried {self.pick(PEOPLE)[0]}. It was']),
                                  f" {held[t][0]}.", [f" {p[0]}." for p in people]))
        if self.chance(0.4) or not questions:
            p = self.pick(people)
            if self.allowed("carry", p[0], thing, at[p][1]):
                questions.append(("person", f"Where did {p[0]} end up? {cap(self.she(p))} was",
                                  f" {self.at(at[p])}.", [f" {self.at(l)}." for l in seen]))
        return out, questions

    def number_pair(self):
        return self.choose(lambda: (self.rng.randint(1, 30), self.rng.randint(1, 20)), lambda c: number_family(*c))

    @staticmethod
    def near(value, rng):
        options = [v for v in (value - 1, value + 1, value - 2, value + 2, value - 10, value + 10) if v >= 0]
        return [value] + rng.sample(options, 3)

    def sums(self):
        """A little story in which a number of goods grows or shrinks."""
        p, q = self.sample(PEOPLE, 2)
        goods, place = self.pick(GOODS), self.pick(PLACES)
        a, b = self.number_pair()
        plus = self.chance(0.6)
        start, change = (a, b) if plus else (a + b, b)
        total = start + change if plus else start - change
        out = self.scene() if self.chance(0.35) else []
        out.append(self.pick([f"{self.person(p)} had {start} {goods}{self.manner()}.", f"There were {start} {goods} {self.at(place)}, and all belonged to {p[0]}.",
                              f"{self.person(p)} counted {start} {goods} {self.at(place)}.",
                              f"{cap(self.at(place))} {p[0]} kept {start} {goods} in {self.one(self.pick(COLOURS))} box."]))
        if self.chance(0.4):
            out.append(self.aside(p, place))
        if plus:
            out.append(self.pick([f"{self.person(q)} gave {p[0]} {change} more{self.manner()}.", f"Then {p[0]} bought {change} more from {q[0]}{self.manner()}.",
                                  f"{p[0]} found another {change} near the {self.pick(PLACES)[1]}.",
                                  f"{q[0]} came with {change} {self.pick(['new', 'fine', 'old', 'small', 'large'])} {goods} for {p[0]}{self.manner()}."]))
        else:
            out.append(self.pick([f"{p[0]} gave {change} of them to {q[0]}{self.manner()}.", f"{self.person(q)} took away {change}{self.manner()}.",
                                  f"{p[0]} lost {change} on the way to the {self.pick(PLACES)[1]}.",
                                  f"{p[0]} sold {change} {goods} to {q[0]}."]))
        cands = [f" {v}" for v in self.near(total, self.rng)]
        sign = "+" if plus else "-"
        return out, [("sum", self.pick([f"{p[0]} now had {start} {sign} {change} =", f"So the number of {goods} was now",
                                        f"How many {goods} were there now? There were", f"That left {p[0]} with"]), f" {total}.",
                      [c + "." for c in cands])]

    def drill(self):
        """A page from the school's exercise book."""
        p = self.pick(PEOPLE)
        out = [self.pick([f"{self.person(p)} wrote sums on the board.", f"{p[0]} practised sums {self.at(self.pick(PLACES))}.",
                          f"From the exercise book of {p[0]}, page {self.rng.randint(1, 99)}:", "Sums:"])]
        lines, last = [], None
        for _ in range(self.rng.randint(3, 7)):
            a, b = self.number_pair()
            if self.chance(0.5):
                a, b = b, a
            last = (f"{a} + {b} =", a + b) if self.chance(0.6) else (f"{a + b} - {b} =", a)
            lines.append(f"{last[0]} {last[1]}.")
        out += lines[:-1]
        return out, [("sum", last[0], f" {last[1]}.", [f" {v}." for v in self.near(last[1], self.rng)])]

    def counting(self):
        """Things are put somewhere one after another; how many of a kind are there?"""
        (p, t, l) = self.choose(lambda: (self.pick(PEOPLE), self.pick(THINGS), self.pick(PLACES)),
                                lambda c: ("count", c[0][0], c[1], c[2][1]))
        other = self.sample(THINGS, 1, (t,))[0]
        n, m = self.rng.randint(1, 6), self.rng.randint(1, 4)
        order = [t] * n + [other] * m
        self.rng.shuffle(order)
        start = self.pick([f"{self.person(p)} tidied up {self.at(l)}{self.manner()} and made a list:", f"{cap(self.at(l))} {p[0]} looked into a chest and saw",
                           f"{self.person(p)} counted what lay {self.at(l)}:"])
        items = ", ".join(self.one(self.pick(ADJECTIVES) + " " + x if self.chance(0.4) else x) for x in order)
        out = (self.scene() if self.chance(0.3) else []) + [f"{start} {items}."]
        if self.chance(0.3):
            out.append(self.aside(p, l))

        def ask(x, k):
            plural = {"key": "keys", "brush": "brushes", "compass": "compasses"}.get(x, x + "s")
            text = self.pick([f"How many {plural} were there? There were", f"The number of {plural} was",
                              f"{p[0]} wrote down the {plural}:"])
            cands = sorted({k, k - 1, k + 1, k + 2} if k > 1 else {1, 2, 3, 4})
            return ("count", text, f" {WORDS[k]}.", [f" {WORDS[c]}." for c in cands])

        questions = [ask(t, n)]
        if not self.heldout and self.chance(0.6):
            questions.append(ask(other, m))
        if not self.heldout and self.chance(0.3):
            questions.append(("count", "In all there were", f" {WORDS[n + m]} things.", []))
        return out, questions

    def comparison(self):
        """A chain of comparisons; the conclusion joins its ends or names an extreme."""
        more, most, less, least = self.pick(COMPARE)
        while True:
            chain = self.sample(PEOPLE, self.rng.randint(3, 4))
            pairs = [tuple(sorted((a[0], b[0]))) + (more,) for i, a in enumerate(chain) for b in chain[i + 1:]]
            ends = tuple(sorted((chain[0][0], chain[-1][0]))) + (more,)
            if self.heldout and reserved("compare", *ends) or not self.heldout and not any(reserved("compare", *x) for x in pairs):
                break
        out = self.scene() if self.chance(0.25) else []
        if self.chance(0.4):
            out.append(f"{self.person(self.pick(PEOPLE))} watched the others {self.at(self.pick(PLACES))}{self.manner()}.")
        said = []
        for a, b in zip(chain, chain[1:]):
            said.append(self.pick([f"{a[0]} is {more} than {b[0]}.", f"{b[0]} is {less} than {a[0]}.",
                                   f"{self.person(a)} is {more} than {self.person(b)}."]))
        if self.chance(0.5):
            self.rng.shuffle(said)
        out += said
        names = [f" {p[0]}." for p in chain]
        a, b = chain[0][0], chain[-1][0]
        top = self.chance(0.5)
        asked = self.pick([
            (f"Of {'these' if self.chance(0.5) else 'them'} all the {most if top else least} is", a if top else b, names),
            (f"Who is the {most if top else least}? It is", a if top else b, names),
            (f"Of {a} and {b}, the {more if top else less} one is", a if top else b, [f" {a}.", f" {b}."]),
            (f"Of {b} and {a}, the {more if top else less} one is", a if top else b, [f" {a}.", f" {b}."])])
        return out, [("comparison", asked[0], f" {asked[1]}.", asked[2])]

    def cause(self):
        """Something is wrong, somebody asks why, somebody puts it right."""
        p, i, l = self.choose(lambda: (self.pick(PEOPLE), self.rng.randrange(len(CAUSES)), self.pick(PLACES)),
                              lambda c: ("cause", c[0][0], c[1], c[2][1]))
        why, effect, then = CAUSES[i]
        effect = effect.format(L=self.at(l))
        q = self.sample(PEOPLE, 1, (p,))[0]
        others = [CAUSES[j] for j in self.sample(range(len(CAUSES)), 3, (i,))]
        out = self.scene() if self.chance(0.35) else []
        out.append(self.pick([f"When {p[0]} came{self.manner()}, {effect}.", f"{self.person(p)} saw that {effect}.", f"On {self.pick(DAYS)} {effect}, {p[0]} noticed.",
                              f"{self.person(q)} told {p[0]} that {effect}{self.manner()}.", f"{cap(effect)}, and {p[0]} was {self.pick(MOODS)}.",
                              f'"Look," said {q[0]} to {self.person(p)}, "{effect}."']))
        if self.chance(0.35):
            out.append(self.aside(p, l))
        end = self.pick([f"So {then.format(S=p[0])}{self.manner(0.5)}.", f"{cap(self.pick(MANNERS))}, {then.format(S=p[0])}.",
                         f"{then.format(S=p[0])}{self.manner(0.5)}.", f"{q[0]} laughed, but {then.format(S=p[0])}."])
        kind = self.rng.random()
        if kind < 0.5:
            ask = self.pick([f"{p[0]} wondered why. It was because", f"Why was that? {q[0]} knew that", f"{cap(self.she(p))} soon knew why:",
                             f"This had happened{self.manner(0.6)} because", f"{q[0]} thought for a while and said that"])
            return out, [("cause", ask, f" {why}.", [f" {c[0]}." for c in [CAUSES[i]] + others]), ("text", "", " " + end, [])]
        out.append(self.pick([f"This was because {why}.", f"{q[0]} said{self.manner()} that {why}.", f"The reason{self.pick([', of course,', '', ', it seemed,'])} was that {why}."]))
        if self.chance(0.3):
            out.append(self.aside(q, l))
        return out, [("remedy", self.pick(["So", "That is why", "In the end", f"{cap(self.pick(MANNERS))}", f"By {self.pick(TIMES[:3])}"]), f" {then.format(S=p[0])}.",
                      [f" {c[2].format(S=p[0])}." for c in [CAUSES[i]] + others])]

    def dialogue(self):
        """Several people speak; who said what?"""
        p, t, l = self.choose(lambda: (self.pick(PEOPLE), self.pick(THINGS), self.pick(PLACES)),
                              lambda c: ("speak", c[0][0], c[1], c[2][1]))
        cast = [p] + self.sample(PEOPLE, self.rng.randint(2, 3), (p,))
        things = [t] + self.sample(THINGS, len(cast) - 1, (t,))
        places = [l] + self.sample(PLACES, len(cast) - 1, (l,))
        verb, past = self.pick([("saw", "see"), ("lost", "lose"), ("found", "find"), ("sold", "sell"), ("bought", "buy"), ("mended", "mend")])
        turns = list(zip(cast, things, places))
        if not all(self.allowed("speak", a[0], b, c[1]) for a, b, c in turns):
            return self.dialogue()
        self.rng.shuffle(turns)
        out = self.scene() if self.chance(0.35) else []
        here = self.pick(PLACES)
        names = [x[0][0] for x in turns]
        out.append(self.pick([f"{', '.join(names[:-1])} and {names[-1]} met {self.at(here)}{self.manner()}.", f"Some friends were talking {self.at(here)}{self.manner()}.",
                              f"{self.person(turns[0][0])} and the others sat {self.at(here)}."]))
        for who, what, where in turns:
            line = self.pick([f"I {verb} {self.thing(what)} {self.at(where)}{self.manner()}", f"{cap(self.at(where))} I {verb} {self.thing(what)}{self.manner()}",
                              f"On {self.pick(DAYS)} I {verb} {self.thing(what)} {self.at(where)}",
                              f"It was {self.at(where)} that I {verb} {self.thing(what)}"])
            said = self.pick(["said", "told us", "answered", "cried", "whispered"]).replace("told us", "said")
            if self.chance(0.7):
                out.append(f'"{line}," {said} {self.person(who)}.')
            else:
                out.append(f'{self.person(who)} {said}: "{line}."')
            if self.chance(0.25):
                out.append(self.pick([f'"Really?" asked {self.pick(names)}.', "The others nodded.", f"{self.pick(names)} laughed{self.manner()}.", f"{self.pick(names)} was {self.pick(MOODS)}."]))
        asked = [(p, t, l)] if self.heldout else self.rng.sample(turns, self.rng.randint(1, 2))
        questions = []
        for who, what, where in asked:
            if self.chance(0.7):
                questions.append(("speaker", self.pick([f"Who {verb} the {what}? It was", f"The one who {verb} the {what} was",
                                                        f"Who spoke of the {what}? That was"]), f" {who[0]}.", [f" {n}." for n in names]))
            else:
                questions.append(("topic", self.pick([f"What did {who[0]} {past}? It was", f"{who[0]} had spoken of"]),
                                  f" the {what}.", [f" the {x}." for x in things]))
        return out, questions

    def stranger_name(self):
        def make():
            word = "".join(self.pick(SYLLABLES) for _ in range(self.rng.randint(2, 3)))
            if self.chance(0.15):
                i = self.rng.randrange(len(word))
                word = word[:i] + ACCENTS.get(word[i], word[i]) + word[i + 1:]
            return cap(word)
        return self.choose(make, lambda n: ("name", n))

    def stranger(self):
        """Somebody with a name never heard before comes by; the name must be remembered."""
        a, b = self.stranger_name(), self.stranger_name()
        host, l = self.pick(PEOPLE), self.pick(PLACES)
        land = self.pick(["island", "mountain", "valley", "city", "forest", "coast"])
        out = self.scene() if self.chance(0.4) else []
        out.append(self.pick([f"A stranger called {a} came to the {l[1]}{self.manner()}.", f"{cap(self.at(l))} {host[0]} met a stranger. \"My name is {a},\" said the stranger.",
                              f"{a}, a traveller from the {land} of {b}, arrived {self.at(l)}."]))
        second = b in out[-1]
        if not second:
            out.append(self.pick([f'"I come from the {land} of {b}," said {a}.', f"{a} had {self.one(self.pick(ANIMALS))} whose name was {b}.",
                                  f"With {a} came a friend whose name was {b}."]))
        tail = "land" if "of " + b in out[-1] else "friend" if "friend" in out[-1] else "animal"
        for _ in range(self.rng.randint(0, 3)):
            out.append(self.pick([self.aside(host, l), f"{self.person(host)} gave {a} {self.pick(['some soup', 'a warm coat', 'a bed', 'bread and cheese', 'good advice'])}{self.manner()}.",
                                  f'"Stay with us, {a}," said {host[0]}.', f"The stranger was {self.pick(MOODS)} and asked for {self.one(self.pick(THINGS))}{self.manner()}."]))
        wrong = [self.stranger_name() for _ in range(2)]
        if self.chance(0.6):
            ask, answer = self.pick([("Years later people still told of the stranger named", a),
                                     (f"{host[0]} never forgot the name of the stranger:", a), ("What was the stranger called?", a)])
        else:
            ask, answer = {"land": (f"What was the name of the {land}? It was", b), "friend": ("And the friend? The name was", b),
                           "animal": ("What was the animal called? It was", b)}[tail]
        return out, [("name", ask, f" {answer}.", [f" {n}." for n in (a, b, *wrong)])]

    def inventory(self):
        """A description of a place with things of several colours."""
        p, c, t = self.choose(lambda: (self.pick(PLACES), self.pick(COLOURS), self.pick(THINGS)), lambda x: ("colour", x[0][1], x[1], x[2]))
        things = [t] + self.sample(THINGS, self.rng.randint(2, 3), (t,))
        colours = [c] + self.sample(COLOURS, len(things) - 1, (c,))
        owner = self.sample(PEOPLE, len(things))
        rows = list(zip(things, colours, owner))
        if not all(self.allowed("colour", p[1], y, x) for x, y, _ in rows):
            return self.inventory()
        self.rng.shuffle(rows)
        out = self.scene() if self.chance(0.3) else []
        out.append(self.pick([f"There was much to see {self.at(p)} that {self.pick(DAYS)}.", f"{self.person(self.pick(PEOPLE))} looked around {self.at(p)}{self.manner()}.",
                              f"{self.pick(PEOPLE)[0]} told everybody what was kept {self.at(p)}."]))
        for x, y, o in rows:
            beside = "Next to it lay" if o is not rows[0][2] else "First there was"
            out.append(self.pick([f"The {x} of {o[0]} was {y}.", f"{o[0]} owned {'an' if y[0] == 'o' else 'a'} {y} {x}.",
                                  f"The {y} {x} belonged to {o[0]}.", f"{beside} {'an' if y[0] == 'o' else 'a'} {y} {x}, the pride of {self.person(o)}."]))
        x, y, o = next(row for row in rows if row[0] == t)
        if self.chance(0.6):
            return out, [("colour", self.pick([f"What colour was the {x}? It was", f"As for the {x}, its colour was"]), f" {y}.",
                          [f" {r[1]}." for r in rows])]
        return out, [("owner", self.pick([f"Whose was the {x}? It belonged to", f'"Whose is the {x}?" asked {self.pick(PEOPLE)[0]}. It was owned by', f"The {x} was the property of"]), f" {o[0]}.",
                      [f" {r[2][0]}." for r in rows])]

    KINDS = [("journey", 30), ("sums", 12), ("drill", 8), ("counting", 7), ("comparison", 9), ("cause", 9), ("dialogue", 12),
             ("stranger", 7), ("inventory", 8)]

    def text(self, kind=None):
        kind = kind or self.rng.choices([k for k, _ in self.KINDS], [w for _, w in self.KINDS])[0]
        out, questions = getattr(self, kind)()
        joined = " ".join(out)
        for _, ask, answer, _ in questions:
            joined += (" " + ask if ask else "") + answer
        return joined

    def task(self, kind):
        """One cloze item of the given question kind."""
        source = {"where": "journey", "holder": "journey", "person": "journey", "sum": self.pick(["sums", "drill"]), "count": "counting",
                  "comparison": "comparison", "cause": "cause", "remedy": "cause", "speaker": "dialogue", "topic": "dialogue",
                  "name": "stranger", "colour": "inventory", "owner": "inventory"}[kind]
        while True:
            out, questions = getattr(self, source)()
            for k, ask, answer, candidates in questions:
                candidates = list(dict.fromkeys(candidates))
                if k == kind and len(candidates) >= 2 and candidates.count(answer) == 1:
                    self.rng.shuffle(candidates)
                    return {"kind": kind, "prompt": " ".join(out + [ask]), "candidates": candidates, "answer": candidates.index(answer)}


TASK_KINDS = ["where", "holder", "sum", "count", "comparison", "cause", "remedy", "speaker", "topic", "name", "colour", "owner"]


def write_text(split, seed, size):
    """About `size` bytes of texts, one paragraph each, separated by an empty line."""
    writer, parts, total = Writer(split, seed), [], 0
    while total < size:
        text = writer.text()
        parts.append(text)
        total += len(text.encode()) + 2
    return "\n\n".join(parts) + "\n"


def write_tasks(seed, per_kind):
    writer, items, prompts = Writer("heldout", f"tasks/{seed}"), [], set()
    for kind in TASK_KINDS:
        found = 0
        while found < per_kind:
            item = writer.task(kind)
            if item["prompt"] not in prompts:
                prompts.add(item["prompt"])
                items.append(item)
                found += 1
    return {"about": "Cloze items about the sample world; no item's combination occurs in the training text. The answer is the "
                     "index of the right candidate; a candidate is appended to the prompt as it stands.",
            "seed": seed, "items": items}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--split", choices=["train", "heldout"], default="train")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--bytes", type=int, default=10000)
    parser.add_argument("--tasks", type=int, default=0, help="write this many cloze items per kind instead (JSON)")
    args = parser.parse_args()
    if args.tasks:
        json.dump(write_tasks(args.seed, args.tasks), sys.stdout, indent=0, ensure_ascii=False)
    else:
        sys.stdout.write(write_text(args.split, args.seed, args.bytes))
