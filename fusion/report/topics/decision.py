"""Decision curves: is a model worth using?"""

import numpy as np
from matplotlib.figure import Figure

from fusion.evaluate import decision
from fusion.report.blocks import Prose, Section
from fusion.report.figures import WIDTH, cases, each_set, fullest, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, headed, line
from fusion.report.topic import Topic

READ = "A model is worth using at the thresholds where its line is above both treat all and treat none."
THRESHOLDS = np.linspace(0.01, 0.99, 99)


def topic(results: Results) -> Topic:
    """Net benefit in every set."""
    blocks = [Prose(READ), *shown_by_set("decision", "Decision curve", results)]
    section = Section("decision", "Decision curve", blocks)
    return Topic(section, plots=each_set("decision", results, decided))


def decided(results: Results, set_: str) -> Figure:
    """Net benefit of the fullest model of each family, against treating all and none."""
    note = f"Net benefit when cases at or above the threshold count as {results.run.cohort.positive_name}."
    figure = headed(titled("Decision curves", results, set_), note, WIDTH * 0.74, 4.1)
    axis = figure.subplots()
    for name in fullest(results.models):
        probability, events = cases(results, name, set_)
        style = line(name)
        benefit = decision.net_benefit(probability, events, THRESHOLDS)
        axis.plot(THRESHOLDS, benefit, color=style.colour, linestyle=style.dash, linewidth=style.width, label=name)
    axis.plot(THRESHOLDS, decision.treat_all(events, THRESHOLDS), color="#b4bac2", linewidth=1.3, label="treat all")
    axis.axhline(0, color=FAINT, linewidth=1, label="treat none")
    top = float(events.mean())
    axis.set(xlim=(0, 1), ylim=(-0.25 * top, 1.1 * top), xlabel="threshold probability", ylabel="net benefit")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1.02), fontsize=8)
    return figure
