"""Attacks of PyPI anonymeter (WP216: singling out, linkability, inference) on a copy, with a control group that was never copied.

Reads {"original": rows, "copies": [rows, …], "control": rows, "seed": n} and writes for each copy, by attack, the success rates against the originals and
against the control.
What an attacker finds of people who are not in the copy he could have known without it: only what is above that is a risk of the copy.
"""
import json
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator  # noqa: E402

asked = json.load(sys.stdin)
ATTACKS = 120


def frame(rows):
    table = pd.DataFrame(rows)
    table["born"] = (pd.to_datetime(table["born"]) - pd.Timestamp("1950-01-01")).dt.days.astype("float64")
    table["income"] = table["income"].astype("float64")
    # A pseudonym is compared with others of its form: as the number that its digits are.
    table["postcode"] = pd.to_numeric(table["postcode"].str.replace(r"\D", "", regex=True), errors="coerce").fillna(0).astype("float64")
    for name in ("branch", "illness"):
        table[name] = table[name].astype("object").fillna("none")
    return table


original, control = frame(asked["original"]), frame(asked["control"])


def rates(evaluator):
    found = evaluator.results()
    return {"main": float(found.attack_rate.value), "control": float(found.control_rate.value), "error": float(found.attack_rate.error)}


def attack(copy):
    np.random.seed(asked["seed"])
    of = {"ori": original, "syn": copy, "control": control, "n_attacks": ATTACKS}
    single = SinglingOutEvaluator(**of, n_cols=4)
    single.evaluate(mode="multivariate")
    link = LinkabilityEvaluator(**of, aux_cols=(["born", "branch"], ["postcode", "income"]), n_neighbors=1)
    link.evaluate(n_jobs=1)
    infer = InferenceEvaluator(**of, aux_cols=["born", "postcode", "income", "branch"], secret="illness", regression=False)
    infer.evaluate(n_jobs=1)
    return {"singlingOut": rates(single), "linkability": rates(link), "inference": rates(infer)}


json.dump([attack(frame(copy)) for copy in asked["copies"]], sys.stdout)
