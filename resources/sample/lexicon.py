# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the sample world: its people, places, things, and what happens there."""

# name, gender, trade
PEOPLE = [tuple(p.split(":")) for p in (
    "Mara:f:miller Otto:m:smith Ines:f:baker Bram:m:sailor Tessa:f:teacher Rolf:m:shepherd Juno:f:weaver Edric:m:carpenter "
    "Lena:f:doctor Hugo:m:cook Petra:f:gardener Silas:m:fisherman Nadia:f:potter Felix:m:painter Greta:f:tailor Amos:m:ferryman "
    "Wilma:f:singer Casper:m:clerk Dora:f:beekeeper Ivan:m:mason Ruth:f:printer Jonas:m:cobbler Alma:f:judge Viktor:m:porter "
    "Clara:f:nurse Milo:m:farmer Freya:f:hunter Anton:m:brewer Signe:f:glazier Kurt:m:guard Bettina:f:dancer Oskar:m:roofer "
    "Yvonne:f:spinner Niels:m:diver Paula:f:grocer Tobias:m:drummer Lucia:f:pilot Magnus:m:saddler Esther:f:florist Boris:m:warden "
    "Hilda:f:driver Simon:m:piper Vera:f:surgeon Emil:m:jeweller").split()]
# preposition, place
PLACES = [tuple(p.split(":")) for p in (
    "in:mill in:bakery at:harbour at:market in:library at:well on:bridge in:barn at:forge in:garden in:chapel in:school at:inn "
    "in:orchard in:stable in:tower in:cellar in:kitchen in:attic in:boathouse in:meadow in:workshop at:lighthouse at:quarry "
    "on:hill in:greenhouse at:station in:courtyard at:fountain in:cave on:pier in:palace").split()]
THINGS = ("lantern key basket rope kettle hammer letter drum mirror ladder compass blanket trumpet saddle bucket candle clock "
          "brush bottle shovel map ring flute umbrella spoon cloak barrel saw needle coin helmet pillow telescope whistle "
          "teapot notebook sword violin carpet ladle wallet anchor bell chair crown shield").split()
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
DEEDS = [("saw", "see"), ("lost", "lose"), ("found", "find"), ("sold", "sell"), ("bought", "buy"), ("mended", "mend")]
SAID = ["said", "answered", "cried", "whispered"]
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
