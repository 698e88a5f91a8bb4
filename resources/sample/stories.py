# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of text in the sample world. Each is a little simulation whose questions follow from what was told.

Questions come often and about all that was mentioned, not about the hero alone: remembering which of several earlier
mentions belongs to what is asked is what a small model learns last, and learns only where it is asked for all the time.
"""
from lexicon import (ACCENTS, ADJECTIVES, ANIMALS, CAUSES, COLOURS, COMPARE, DAYS, DEEDS, GOODS, MANNERS, MOODS, PEOPLE, PLACES,
                     SAID, SYLLABLES, THINGS, TIMES, WORDS)
from writer import Writer, cap


def plural(thing):
    return thing + "es" if thing.endswith("s") or thing.endswith("sh") else thing + "s"


class Stories(Writer):
    # -- things that move -----------------------------------------------------------------------------------------
    def journey(self):
        """Things are carried about, given away and left; where are they, who has them, where is everybody?"""
        people = self.sample(PEOPLE, self.rng.randint(2, 3))
        things = self.sample(THINGS, self.rng.randint(2, 3))
        places = self.sample(PLACES, self.rng.randint(3, 4))
        at, held, lying, last, seen = {}, {}, {}, {}, []

        def arrive(p, l):
            at[p] = l
            if l not in seen:
                seen.append(l)
            for t in things:
                if held.get(t) is p:
                    self.note("carry", p[0], t, l[1])

        def keep(p, t):
            held[t], last[t] = p, p
            lying.pop(t, None)
            self.note("carry", p[0], t, at[p][1])

        def go(p):
            l = self.pick([x for x in places if x is not at[p]])
            arrive(p, l)
            self.tell(lambda: [f"{p[0]} went to the {l[1]}{self.manner()}.", f"{p[0]} walked to the {l[1]}{self.manner()}.",
                               f"Then {p[0]} hurried to the {l[1]}.", f"{p[0]} moved on to the {l[1]}.", f"{p[0]} was sent to the {l[1]}.",
                               f"{cap(self.pick(MANNERS))}, {p[0]} set out for the {l[1]}.", f"Soon {p[0]} was {self.at(l)}."])

        def give(p, q, t):
            keep(q, t)
            self.tell(lambda: [f"{p[0]} gave {self.thing(t)} to {q[0]}{self.manner()}.", f"{p[0]} handed {q[0]} {self.thing(t)}{self.manner()}.",
                               f"{q[0]} got {self.thing(t)} from {p[0]}{self.manner()}.",
                               f"{q[0]} asked for {self.thing(t)}, and {p[0]} gave it to {'her' if q[1] == 'f' else 'him'}.",
                               f'"Please look after {self.thing(t)}," said {p[0]} to {q[0]}, who took it.'])

        def drop(p, t):
            held.pop(t)
            lying[t] = at[p]
            self.tell(lambda: [f"{p[0]} left {self.thing(t)} {self.at(at[p])}{self.manner()}.", f"{p[0]} put {self.thing(t)} down {self.at(at[p])}.",
                               f"{p[0]} hid {self.thing(t)} {self.at(at[p])}{self.manner()}.", f"{p[0]} set {self.thing(t)} down there{self.manner()}.",
                               f"{p[0]} forgot {self.thing(t)} {self.at(at[p])}."])

        def take(p, t):
            keep(p, t)
            self.tell(lambda: [f"{p[0]} picked up {self.thing(t)}{self.manner()}.", f"{p[0]} took {self.thing(t)}{self.manner()}.",
                               f"{p[0]} found {self.thing(t)} there and kept it.", f"{p[0]} took {self.thing(t)} along{self.manner()}."])

        def ask_where(t):
            l = at[held[t]] if t in held else lying[t]
            self.ask("where", lambda: [f"Where is the {t}? It is", f"Where was the {t} now? It was", f"So the {t} was",
                                       f"By {self.pick(DAYS)} the {t} was", f"If you look for the {t}, look", f"Now the {t} was",
                                       f'"Where is the {t}?" asked {self.pick(PEOPLE)[0]}. It was'],
                     f" {self.at(l)}.", [f" {self.at(x)}." for x in seen], "carry", last[t][0], t, l[1])

        def ask_holder(t):
            p = held[t]
            self.ask("holder", lambda: [f"Who has the {t}? It is with", f"The {t} was carried by", f"Who was holding the {t}? It was",
                                        f"On {self.pick(DAYS)} the {t} was with", f'"Who has my {t}?" cried {self.pick(PEOPLE)[0]}. It was'],
                     f" {p[0]}.", [f" {x[0]}." for x in people], "carry", p[0], t, at[p][1])

        def ask_person(p):
            self.ask("person", lambda: [f"Where is {p[0]}? {cap(self.she(p))} is", f"Where did {p[0]} end up? {cap(self.she(p))} was",
                                        f"By {self.pick(DAYS)} {p[0]} was", f'"Where is {p[0]}?" asked {self.pick(PEOPLE)[0]}. {cap(self.she(p))} was'],
                     f" {self.at(at[p])}.", [f" {self.at(x)}." for x in seen], "stay", p[0], at[p][1])

        def ask_about(t):
            if t in held and self.chance(0.5):
                ask_holder(t)
                if self.chance(0.4):
                    ask_person(held[t])
            if t not in held or self.chance(0.65):
                ask_where(t)

        self.scene(0.2)
        for p in people:
            arrive(p, self.pick(places))
            self.tell(lambda: [f"{self.person(p)} was {self.at(at[p])}.", f"{self.person(p)} stood {self.at(at[p])}{self.manner()}.",
                               f"{self.person(p)} worked {self.at(at[p])}{self.manner()}.", f"{self.person(p)} waited {self.at(at[p])}{self.manner()}.",
                               f"{cap(self.at(at[p]))} was {self.person(p)}."])
        for t in things:
            take(self.pick(people), t)
            if self.chance(0.2):
                ask_about(t)
        for _ in range(self.rng.randint(2, 6)):
            p = self.pick(people)
            carried = [t for t in things if held.get(t) is p]
            near = [q for q in people if q is not p and at[q] is at[p]]
            here = [t for t in things if lying.get(t) is at[p]]
            roll = self.rng.random()
            if roll < 0.3 and carried and near:
                give(p, self.pick(near), self.pick(carried))
            elif roll < 0.5 and carried:
                drop(p, self.pick(carried))
            elif roll < 0.62 and here:
                take(p, self.pick(here))
            else:
                go(p)
            self.aside(p, at[p], 0.06)
            if self.chance(0.25):
                ask_about(self.pick(things))
        self.rng.shuffle(things)
        for t in things:
            ask_about(t)
        if self.chance(0.4):
            ask_person(self.pick(people))

    # -- lists ----------------------------------------------------------------------------------------------------
    def primer(self):
        """The shortest texts that ask which of several mentions is meant."""
        self.ledger(2, 3)

    def recital(self):
        """Pairs said again and again in changing order: from the second time on, all but the first of a pair is known."""
        count = self.rng.randint(3, 5)
        one, two = self.rng.sample([[p[0] for p in PEOPLE], THINGS, [p[1] for p in PLACES], COLOURS, ANIMALS, None], 2)
        rows = list(zip(*(self.sample(words, count) if words else [self.name() for _ in range(count)] for words in (one, two))))
        frame = self.pick(["{0}: {1}.", "{0} {1}.", "{0}, {1};", "the {0} is {1}.", "for {0} it is {1}.", "{0} has {1}.", "{0} and {1},", "of {0}, the {1}."])
        known, value = frame[:frame.index(" {1}")], frame[frame.index(" {1}"):]
        for again in range(self.rng.randint(3, 4)):
            for x, y in rows:
                self.parts += [(known.format(x), False), (value.format(x, y), again > 0)]
            self.rng.shuffle(rows)

    def ledger(self, fewest=3, most=6):
        """A short list that binds each of several things to something, and then many questions in any order."""
        count = self.rng.randint(fewest, most)
        things = self.sample(THINGS, count)
        form = self.pick(["where", "owner", "colour", "animal", "number", "topic", "topic"])
        if form == "where":
            values = self.sample(PLACES, count)
            fact = lambda t, v: [f"The {t} is {self.at(v)}.", f"{cap(self.at(v))} lies the {t}.", f"The {t} lies {self.at(v)}.", f"Look for the {t} {self.at(v)}."]
            asks = lambda t, v: [f"Where is the {t}? It is", f"The {t} is", f"So the {t} was", f"If you look for the {t}, look"]
            word = self.at
        elif form == "owner":
            values = self.sample(PEOPLE, count)
            fact = lambda t, v: [f"The {t} belongs to {v[0]}.", f"{v[0]} owns the {t}.", f"The {t} is {v[0]}'s.", f"{self.person(v)} bought the {t}."]
            asks = lambda t, v: [f"Whose is the {t}? It belongs to", f"The {t} was the property of", f"Who owns the {t}? It is"]
            word = lambda v: v[0]
        elif form == "colour":
            values = self.sample(COLOURS, count)
            fact = lambda t, v: [f"The {t} is {v}.", f"There is {self.one(v)} {t}.", f"They painted the {t} {v}.", f"{cap(v)} is the {t}."]
            asks = lambda t, v: [f"What colour is the {t}? It is", f"As for the {t}, its colour was", f"The {t} is"]
            word = lambda v: v
        elif form == "animal":
            things = self.sample(PEOPLE, count)
            values = self.sample(ANIMALS, count)
            fact = lambda t, v: [f"{t[0]} has {self.one(v)}.", f"The {v} belongs to {t[0]}.", f"{self.person(t)} keeps {self.one(v)}."]
            asks = lambda t, v: [f"What does {t[0]} keep? It is {self.one(v).split()[0]}", f"The animal of {t[0]} is the"]
            word = lambda v: v
        elif form == "topic":
            things, values = self.sample(PEOPLE, count), things
            verb, base = self.pick(DEEDS)
            fact = lambda t, v: [f'"I {verb} the {v}," {self.pick(SAID)} {t[0]}.', f'{t[0]} {self.pick(SAID)}: "I {verb} the {v}."', f"{t[0]} {verb} the {v}.",
                                 f"The {v} was what {t[0]} {verb}."]
            asks = lambda t, v: [f"What did {t[0]} {base}? It was", f"{t[0]} had spoken of", f"What {t[0]} {verb} was"]
            word = lambda v: f"the {v}"
        else:
            things = self.sample(PEOPLE, count)
            goods = self.pick(GOODS)
            values = [str(n) for n in self.rng.sample(range(2, 60), count)]
            fact = lambda t, v: [f"{t[0]} has {v} {goods}.", f"{self.person(t)} counted {v} {goods}.", f"{v} {goods} are with {t[0]}."]
            asks = lambda t, v: [f"How many {goods} has {t[0]}?", f"The {goods} of {t[0]} are", f"The number of {goods} with {t[0]} is"]
            word = lambda v: v
        rows = list(zip(things, values))
        if self.chance(0.3):
            self.tell(lambda: [f"{self.person(self.pick(PEOPLE))} kept a list.", f"This stood in the book of {self.pick(PEOPLE)[0]}:",
                               f"On {self.pick(DAYS)} {self.pick(PEOPLE)[0]} wrote:", f"A list from the {self.pick(PLACES)[1]}:"])
        names = lambda t, v: ("speak" if form == "topic" else form, t if isinstance(t, str) else t[0], v if isinstance(v, str) else v[1] if form == "where" else v[0])
        for t, v in rows:
            self.note(*names(t, v))
            self.tell(lambda: fact(t, v))
        for _ in range(self.rng.randint(1, 2)):
            self.rng.shuffle(rows)
            for t, v in rows:
                self.ask(form, lambda: asks(t, v), f" {word(v)}.", [f" {word(x)}." for x in values], *names(t, v))

    def inventory(self):
        """What is kept at a place: things of several colours and owners."""
        count = self.rng.randint(3, 4)
        rows = list(zip(self.sample(THINGS, count), self.sample(COLOURS, count), self.sample(PEOPLE, count)))
        place = self.pick(PLACES)
        self.scene(0.15)
        self.tell(lambda: [f"There was much to see {self.at(place)} that {self.pick(DAYS)}.", f"{self.person(self.pick(PEOPLE))} looked around {self.at(place)}{self.manner()}.",
                           f"{self.pick(PEOPLE)[0]} told everybody what was kept {self.at(place)}."])
        for x, y, o in rows:
            self.note("colour", y, x)
            self.note("owner", x, o[0])
            self.tell(lambda: [f"The {x} of {o[0]} was {y}.", f"{o[0]} owned {self.one(y)} {x}.", f"The {y} {x} belonged to {o[0]}.",
                               f"Then there was {self.one(y)} {x}, the pride of {self.person(o)}."])
        self.aside(rows[0][2], place, 0.15)
        asked = [(row, k) for row in rows for k in ("colour", "owner")]
        for (x, y, o), kind in self.rng.sample(asked, self.rng.randint(3, 5)):
            if kind == "colour":
                self.ask(kind, lambda: [f"What colour was the {x}? It was", f"As for the {x}, its colour was", f"The {x} was"],
                         f" {y}.", [f" {r[1]}." for r in rows], "colour", y, x)
            else:
                self.ask(kind, lambda: [f"Whose was the {x}? It belonged to", f"The {x} was the property of", f"Who owned the {x}? It was",
                                        f'"Whose is the {x}?" asked {self.pick(PEOPLE)[0]}. It was owned by'],
                         f" {o[0]}.", [f" {r[2][0]}." for r in rows], "owner", x, o[0])

    # -- talk -----------------------------------------------------------------------------------------------------
    def dialogue(self):
        """Several people speak; who said what?"""
        count = self.rng.randint(3, 4)
        turns = list(zip(self.sample(PEOPLE, count), self.sample(THINGS, count), self.sample(PLACES, count)))
        verb, base = self.pick(DEEDS)
        names = [x[0][0] for x in turns]
        here = self.pick(PLACES)
        self.scene(0.15)
        if self.chance(0.5):
            self.tell(lambda: [f"{', '.join(names[:-1])} and {names[-1]} met {self.at(here)}{self.manner()}.",
                               f"Some friends were talking {self.at(here)}{self.manner()}.", f"{names[0]} and the others sat {self.at(here)}."])
        for who, what, where in turns:
            self.note("speak", who[0], what)

            def options():
                line = self.pick([f"I {verb} {self.thing(what)} {self.at(where)}", f"{cap(self.at(where))} I {verb} {self.thing(what)}",
                                  f"On {self.pick(DAYS)} I {verb} {self.thing(what)} {self.at(where)}", f"I {verb} {self.thing(what)}"])
                said = self.pick(SAID)
                return [f'"{line}," {said} {self.person(who)}.'] + 4 * [f'{self.person(who)} {said}: "{line}."']
            self.tell(options)
            if self.chance(0.12):
                self.tell(lambda: [f'"Really?" asked {self.pick(names)}.', f"{self.pick(names)} laughed{self.manner()}.", f"{self.pick(names)} was {self.pick(MOODS)}."])
        asked = [(turn, k) for turn in turns for k in ("speaker", "topic")]
        for (who, what, _), kind in self.rng.sample(asked, self.rng.randint(3, 5)):
            if kind == "speaker":
                self.ask(kind, lambda: [f"Who {verb} the {what}? It was", f"The one who {verb} the {what} was", f"Who spoke of the {what}? That was"],
                         f" {who[0]}.", [f" {n}." for n in names], "speak", who[0], what)
            else:
                self.ask(kind, lambda: [f"What did {who[0]} {base}? It was", f"{who[0]} had spoken of", f"What {who[0]} {verb} was"],
                         f" the {what}.", [f" the {x[1]}." for x in turns], "speak", who[0], what)

    def name(self):
        def make():
            word = "".join(self.pick(SYLLABLES) for _ in range(self.rng.randint(2, 3)))
            if self.chance(0.1):
                i = self.rng.randrange(len(word))
                word = word[:i] + ACCENTS.get(word[i], word[i]) + word[i + 1:]
            return cap(word)
        return self.choose(make, lambda n: ("name", n))

    def stranger(self):
        """Somebody with a name never heard before comes by; names must be remembered."""
        a, b, c = self.name(), self.name(), self.name()
        host, l, animal = self.pick(PEOPLE), self.pick(PLACES), self.pick(ANIMALS)
        land = self.pick(["island", "mountain", "valley", "city", "forest", "coast"])
        self.scene(0.15)
        self.tell(lambda: [f"A stranger called {a} came to the {l[1]}{self.manner()}.", f"{a}, a traveller, arrived {self.at(l)}{self.manner()}.",
                           f'{cap(self.at(l))} {host[0]} met a stranger. "My name is {a}," said the stranger.'])
        self.tell(lambda: [f'"I come from the {land} of {b}," said {a}.', f"The home of {a} was the {land} of {b}.", f"{a} came from the {land} of {b}."])
        if self.chance(0.6):
            self.tell(lambda: [f"{a} had {self.one(animal)} whose name was {c}.", f"With {a} came {self.one(animal)} called {c}."])
        else:
            animal = None
        for _ in range(self.rng.randint(0, 2)):
            self.tell(lambda: [f"{self.person(host)} gave {a} {self.pick(['some soup', 'a warm coat', 'a bed', 'bread and cheese', 'good advice'])}{self.manner()}.",
                               f'"Stay with us, {a}," said {host[0]}.', f"{a} was {self.pick(MOODS)} and asked for {self.one(self.pick(THINGS))}.",
                               f"{host[0]} liked {a} at once."])
        wrong = [self.name() for _ in range(1 if animal else 2)]
        cands = [f" {n}." for n in ([a, b, c] if animal else [a, b]) + wrong]
        asks = [(a, lambda: [f"{host[0]} never forgot the name of the stranger:", "What was the stranger called? The name was", f"In {self.pick(TIMES[:3])}s people still told of the stranger named"]),
                (b, lambda: [f"What was the name of the {land}? It was", f"The {land} was called", f"The {land} is"])]
        if animal:
            asks.append((c, lambda: [f"What was the {animal} called? The name was", f"The {animal} was called", f"And the {animal}? It was"]))
        self.rng.shuffle(asks)
        for answer, options in asks:
            self.ask("name", options, f" {answer}.", cands, "name", answer)

    # -- numbers --------------------------------------------------------------------------------------------------
    def pair(self):
        """a + b, b + a and both differences are one combination."""
        return self.choose(lambda: (self.rng.randint(1, 30), self.rng.randint(1, 20)), lambda c: ("sum", min(c), max(c)))

    def near(self, value):
        options = [v for v in (value - 1, value + 1, value - 2, value + 2, value - 10, value + 10) if v >= 0]
        return [f" {v}." for v in [value] + self.rng.sample(options, 3)]

    def sums(self):
        """A little story in which a number of goods grows or shrinks."""
        p, q = self.sample(PEOPLE, 2)
        goods, place = self.pick(GOODS), self.pick(PLACES)
        a, b = self.pair()
        plus = self.chance(0.6)
        start, total = (a, a + b) if plus else (a + b, a)
        self.scene(0.1)
        self.tell(lambda: [f"{self.person(p)} had {start} {goods}{self.manner()}.", f"There were {start} {goods} {self.at(place)}, and all belonged to {p[0]}.",
                           f"{self.person(p)} counted {start} {goods} {self.at(place)}.", f"{cap(self.at(place))} {p[0]} kept {start} {goods}."])
        self.aside(p, place, 0.08)
        if plus:
            self.tell(lambda: [f"{self.person(q)} gave {p[0]} {b} more{self.manner()}.", f"Then {p[0]} bought {b} more from {q[0]}{self.manner()}.",
                               f"{p[0]} found another {b} near the {self.pick(PLACES)[1]}.", f"{q[0]} came with {b} {self.pick(['new', 'fine', 'old'])} {goods} for {p[0]}."])
        else:
            self.tell(lambda: [f"{p[0]} gave {b} of them to {q[0]}{self.manner()}.", f"{self.person(q)} took away {b}{self.manner()}.",
                               f"{p[0]} lost {b} on the way to the {self.pick(PLACES)[1]}.", f"{p[0]} sold {b} {goods} to {q[0]}."])
        sign = "+" if plus else "-"
        if self.chance(0.5):
            asks = lambda: [f"{p[0]} now had {start} {sign} {b} =", f"So that made {start} {sign} {b} ="]
        else:
            asks = lambda: [f"So the number of {goods} was now", f"How many {goods} were there now? There were", f"That left {p[0]} with"]
        self.ask("sum", asks, f" {total}.", self.near(total), "sum", min(a, b), max(a, b))

    def drill(self):
        """A page from the school's exercise book."""
        p = self.pick(PEOPLE)
        if self.chance(0.5):
            self.tell(lambda: [f"{self.person(p)} wrote sums on the board.", f"{p[0]} practised sums {self.at(self.pick(PLACES))}.",
                               f"From the exercise book of {p[0]}, page {self.rng.randint(1, 99)}:"])
        for _ in range(self.rng.randint(4, 9)):
            a, b = self.pair()
            if self.chance(0.5):
                a, b = b, a
            question, value = (f"{a} + {b} =", a + b) if self.chance(0.6) else (f"{a + b} - {b} =", a)
            self.parts.append((question, False))  # numbers have no other words: the pair alone decides the split
            self.parts.append((f" {value}.", True))
        from_pair = self.pair()
        self.ask("sum", lambda: [f"{from_pair[0]} + {from_pair[1]} =", f"And {from_pair[0]} + {from_pair[1]} =", f"Last came {from_pair[0]} + {from_pair[1]} ="],
                 f" {sum(from_pair)}.", self.near(sum(from_pair)), "sum", min(from_pair), max(from_pair))

    def counting(self):
        """Things are put somewhere one after another; how many of a kind are there?"""
        p, l = self.pick(PEOPLE), self.pick(PLACES)
        kinds = self.sample(THINGS, self.rng.randint(2, 3))
        counts = [self.rng.randint(1, 5) for _ in kinds]
        order = [t for t, n in zip(kinds, counts) for _ in range(n)]
        self.rng.shuffle(order)
        for t, n in zip(kinds, counts):
            self.note("count", t, n, l[1])

        def options():
            items = ", ".join(self.one(self.pick(ADJECTIVES) + " " + x if self.chance(0.15) else x) for x in order)
            return [f"{self.person(p)} tidied up {self.at(l)} and made a list: {items}.", f"{cap(self.at(l))} {p[0]} saw {items}.",
                    f"{self.person(p)} counted what lay {self.at(l)}: {items}."]
        self.tell(options)
        self.aside(p, l, 0.1)
        for t, n in self.rng.sample(list(zip(kinds, counts)), len(kinds)):
            cands = {n, n - 1, n + 1, n + 2} if n > 1 else {1, 2, 3, 4}
            self.ask("count", lambda: [f"How many {plural(t)} were there? There were", f"The number of {plural(t)} was", f"{p[0]} wrote down the {plural(t)}:",
                                       f"Of the {plural(t)} there were"], f" {WORDS[n]}.", [f" {WORDS[c]}." for c in sorted(cands)], "count", t, n, l[1])

    # -- reasons --------------------------------------------------------------------------------------------------
    def comparison(self):
        """A chain of comparisons; who is first, who is last, and which of two is ahead?"""
        more, most, less, least = self.pick(COMPARE)
        chain = self.sample(PEOPLE, self.rng.randint(3, 4))
        pairs = [(a, b) for i, a in enumerate(chain) for b in chain[i + 1:]]
        for a, b in pairs:
            self.note("compare", a[0], b[0], more)
        self.scene(0.1)
        told = list(zip(chain, chain[1:]))
        if self.chance(0.35):
            self.rng.shuffle(told)
        for a, b in told:
            self.tell(lambda: [f"{a[0]} is {more} than {b[0]}.", f"{b[0]} is {less} than {a[0]}.", f"{self.person(a)} is {more} than {self.person(b)}."])
        names = [f" {p[0]}." for p in chain]
        first, last = chain[0][0], chain[-1][0]

        def end(word, answer):
            self.ask("comparison", lambda: [f"Of {self.pick(['these', 'them'])} all the {word} is", f"Who is the {word}? It is", f"The {word} is"],
                     f" {answer}.", names, "compare", first, last, more)

        def two(a, b):
            word, answer = (more, a[0]) if self.chance(0.5) else (less, b[0])
            x, y = (a, b) if self.chance(0.5) else (b, a)
            self.ask("comparison", lambda: [f"Of {x[0]} and {y[0]}, the {word} one is", f"Who is {word}, {x[0]} or {y[0]}? It is"],
                     f" {answer}.", [f" {a[0]}.", f" {b[0]}."], "compare", a[0], b[0], more)
        asked = [lambda: end(most, first), lambda: end(least, last)] + [lambda a=a, b=b: two(a, b) for a, b in self.rng.sample(pairs, 3)]
        for question in self.rng.sample(asked, self.rng.randint(3, 5)):
            question()

    def cause(self):
        """Something is wrong, somebody asks why, somebody puts it right."""
        p, q = self.sample(PEOPLE, 2)
        i, l = self.rng.randrange(len(CAUSES)), self.pick(PLACES)
        why, effect, then = CAUSES[i]
        effect = effect.format(L=self.at(l))
        self.note("cause", p[0], i, l[1])
        others = [CAUSES[j] for j in self.sample(range(len(CAUSES)), 3, (i,))]
        self.scene(0.15)
        self.tell(lambda: [f"When {p[0]} came{self.manner()}, {effect}.", f"{self.person(p)} saw that {effect}.", f"On {self.pick(DAYS)} {effect}, {p[0]} noticed.",
                           f"{self.person(q)} told {p[0]} that {effect}{self.manner()}.", f"{cap(effect)}, and {p[0]} was {self.pick(MOODS)}.",
                           f'"Look," said {q[0]} to {self.person(p)}, "{effect}."'])
        self.aside(p, l, 0.2)
        if self.chance(0.5):
            self.ask("cause", lambda: [f"{p[0]} wondered why. It was because", f"Why was that? {q[0]} knew that", f"{cap(self.she(p))} soon knew why:",
                                       f"This had happened{self.manner(0.6)} because", f"{q[0]} thought for a while and said that"],
                     f" {why}.", [f" {c[0]}." for c in [CAUSES[i]] + others], "cause", p[0], i, l[1])
            if self.chance(0.3):
                self.tell(lambda: [f"{cap(self.pick(MANNERS))}, {then.format(S=p[0])}.", f"{then.format(S=p[0])}{self.manner(0.5)}.", f"{q[0]} laughed, but {then.format(S=p[0])}."])
        else:
            self.ask("remedy", lambda: ["So", "That is why", "In the end", f"{cap(self.pick(MANNERS))},", f"By {self.pick(TIMES[:3])}"],
                     f" {then.format(S=p[0])}.", [f" {c[2].format(S=p[0])}." for c in [CAUSES[i]] + others], "cause", p[0], i, l[1])
