# What pycanon says of rows on stdin, and not a line of ours: a JSON list of {day, group, number, illness} in, one figure for each of our checks out.
import json
import sys

import pandas
from pycanon import anonymity

rows = pandas.DataFrame(json.load(sys.stdin))
print(
    json.dumps(
        {
            "k": anonymity.k_anonymity(rows, ["day", "group"]),
            "l": anonymity.l_diversity(rows, ["day"], ["illness"]),
            "tOrdered": anonymity.t_closeness(rows, ["day"], ["number"]),
            "t": anonymity.t_closeness(rows, ["day"], ["illness"]),
        },
        default=float,
    )
)
