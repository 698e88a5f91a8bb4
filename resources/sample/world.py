#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes texts and tasks of the small world the sample model is trained on. The same seed gives the same bytes everywhere.

    world.py --split train --seed 1 --bytes 1000000 > text.txt
    world.py --split heldout --seed 2 --bytes 200000 > heldout.txt
    world.py --split heldout --seed 3 --tasks 60 > tasks.json

The words are in lexicon.py, the kinds of text in stories.py, what keeps the two splits apart in writer.py.
"""
import argparse
import json
import sys

from stories import Stories

# kind of text -> its share of the texts
KINDS = {"journey": 26, "ledger": 16, "inventory": 12, "dialogue": 13, "stranger": 6, "sums": 9, "drill": 7, "counting": 8,
         "comparison": 12, "cause": 5}
# what training begins with: the first asks for recall in the fewest words, the second consists of it
PRIMER = {"primer": 56, "stranger": 8, "drill": 8, "counting": 6, "dialogue": 10, "inventory": 6, "comparison": 6}
RECITAL = {"recital": 75, "primer": 25}
# what takes two steps of thought
HARD = {"journey": 40, "dialogue": 25, "comparison": 20, "counting": 15}
NUMBERS = {"drill": 50, "sums": 25, "counting": 25}
# kind of question -> kinds of text it is drawn from
TASK_KINDS = {"where": ["journey"], "holder": ["journey"], "sum": ["sums", "drill"], "count": ["counting"], "comparison": ["comparison"],
              "cause": ["cause"], "remedy": ["cause"], "speaker": ["dialogue"], "topic": ["dialogue"], "name": ["stranger"],
              "colour": ["inventory"], "owner": ["inventory"]}


def texts(split, seed, size, kinds=KINDS):
    """Texts of about `size` bytes in all, each a list of (words, is it an answer)."""
    writer, total = Stories(split, seed), 0
    while total < size:
        parts = writer.write(writer.rng.choices(list(kinds), list(kinds.values()))[0])
        parts = [(("" if i == 0 or words.startswith(" ") else " ") + words, answer) for i, (words, answer) in enumerate(parts)]
        total += sum(len(words.encode()) for words, _ in parts) + 2
        yield parts


def write_text(split, seed, size):
    """One paragraph a text, an empty line between."""
    return "\n\n".join("".join(words for words, _ in parts) for parts in texts(split, seed, size)) + "\n"


def task(writer, kind):
    """One cloze item; its question turns on a combination that training never contains."""
    while True:
        writer.write(writer.pick(TASK_KINDS[kind]))
        fit = [q for q in writer.questions if q.kind == kind and q.unseen and len(q.candidates) >= 2]
        if fit:
            question = writer.pick(fit)
            answer = writer.parts[question.at][0]
            writer.rng.shuffle(question.candidates)
            return {"kind": kind, "prompt": writer.before(question), "candidates": question.candidates,
                    "answer": question.candidates.index(answer)}


def write_tasks(seed, per_kind):
    writer, items, prompts = Stories("heldout", f"tasks/{seed}"), [], set()
    for kind in TASK_KINDS:
        found = 0
        while found < per_kind:
            item = task(writer, kind)
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
