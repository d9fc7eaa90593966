"""Sentences with the characters that are rare in stories. `prose.fill_template` fills the slots.

Each split has its own templates.
"""

LISTS = {
    "name": (
        "Adams", "Brown", "Carter", "Dixon", "Evans", "Foster", "Gaskell", "Hughes", "Irving", "Jones", "Kirby",
        "Lennox", "Marsh", "Norton", "Owen", "Pike", "Quinn", "Rowe", "Stokes", "Turner", "Usher", "Vaughan", "Webb",
        "Xavier", "Young", "Zeller",
    ),
    "place": (
        "Athens", "Bristol", "Cairo", "Dublin", "Exeter", "Florence", "Geneva", "Hull", "Ipswich", "Jaffa", "Kiev",
        "Leeds", "Madrid", "Nantes", "Oxford", "Paris", "Quebec", "Rome", "Salford", "Turin", "Utrecht", "Vienna",
        "Whitby", "Xanten", "York", "Zurich",
    ),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "thing": (
        "boots", "candles", "eggs", "figs", "gloves", "hooks", "jars", "kegs", "lamps", "quills", "ropes",
        "zinc tubs",
    ),
}  # fmt: skip

TEMPLATES = {
    "train": (
        "{name} & {name} sold {12-98} {thing} on {month} {1-31}, {1820-1964}.",
        "Room #{10-99} is taken; try #{100-999}.",
        "Take the {6-12}.{10-59} to {place} (platform {1-9}).",
        'Dr. {name} wrote: "Send {2-60} {thing} to {place}!"',
        "Paid {3-20}/{1-11} for {20-96} {thing}.",
        "*{thing}* - see page {101-987}, note {1-9}.",
        "It was {4-39}+{2-58} miles to {place}, not {60-97}.",
        "Bill No. {1000-9875}: {name} & Co., {place}.",
        "Who was {name}, born {1-28}/{1-12}/{1800-1899}?",
        "{name}'s {thing} cost {1-9},{100-999} francs; mine {5-95}.",
        '"{name}!" cried Mrs. {name}, "it is {1-12} o\'clock!"',
        "In {1840-1965} {place} had {10-97},{100-999} houses.",
        "Lot {1-9}/{10-99}: {thing} (from {place}), {3-88} in all.",
        "Add {1-9}+{1-9}; the sum is *{2-18}*.",
        "The vote was {51-98} to {10-49} - a rise of {2-30}.{1-9} per cent.",
        "{month} {1-31}: {name} & {name} left for {place}.",
        "Xmas {1850-1965}; Zoe, Quentin, Yves & Ursula came.",
        "JACK WOULD NOT PAY {20-90} POUNDS FOR VEXING QUIZ BOOKS.",
        "Section {1-9}: {name}, {name} & Sons #{10-875}.",
        "No. {10-99} (new) came from {place}.",
        "Was it {7-12}:{10-59} or {1-6}:{10-59}?",
    ),
    "validation": (
        "Mr. {name} of {place} owed {name} & Son {10-975}/{1-11}.",
        "House #{10-98} was built in {1810-1960} (see p. {2-98}).",
        '"{10-99} {thing}?" asked {name}; "I saw {100-980}!"',
        "Weight: {2-9}+{10-99} pounds; price *{3-80}*.",
        "On {1-28}/{1-12}/{1860-1960} {name} moved to {place}.",
    ),
    "test": (
        "Captain {name} sailed from {place} on {month} {1-31}, {1830-1960}.",
        "Parcel #{11-989} is for {name} & {name}.",
        'A sign said: "{place} {20-95} miles!"',
        "Invoice {2000-9876}/{10-99}: {12-97} {thing}, no tax.",
        "Is {3-9}+{3-9} the answer (or {10-95})?",
        "*{name}* bought {2-9},{100-999} shares; {name} {10-90}.",
        "Flat {1-9}, {10-99} Queen's Road, {place}.",
        "The {6-11}:{10-58} mail - {thing} & all - was {10-80} minutes late.",
    ),
}
