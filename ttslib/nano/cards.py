"""The model card of a nano model, written from what was trained and what was measured."""


def card(training: dict, measured: list[dict[str, str]]) -> str:
    """Markdown: what the model is, its data and budget, the learning curve's end, and a table of measurements.

    `training` is the model's training.json; `measured` one dict a column, as `ttslib.nano.measure` prints.
    """
    spec, curve = training["spec"], training["curve"]
    lines = [f"# {spec['name']}", "", _what(spec), "", "## Training", ""]
    lines += [f"- {key}: {value}" for key, value in spec.items() if key not in ("name",)]
    last = curve[-1]
    lines += [f"- time: {last['seconds'] / 60:.0f} min ({training['machine']})", f"- last loss: {last['loss']}", ""]
    problems = measured[0]["problems"]
    lines += [f"## Measured on NanoMATH-500 (first {problems} problems), 95 % intervals over problems", ""]
    rows = [key for key in measured[0] if key not in ("model", "problems")]
    lines += ["| " + " | ".join(["", *(column["model"] for column in measured)]) + " |"]
    lines += ["|" + "---|" * (len(measured) + 1)]
    lines += ["| " + " | ".join([row, *(column[row] for column in measured)]) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _what(spec: dict) -> str:
    if "family" in spec:
        return (f"A {spec['family']}-architecture policy trained from scratch on generated NanoMATH problems, in the "
                "family's step style. Its only use is the study of test-time scaling on NanoMATH.")
    return (f"A process reward model in the `{spec['format']}` input format, started from {spec['base']}. Labels are "
            "the generator's exact step check, on slips made on purpose and on solutions sampled from "
            f"{' and '.join(spec['rollouts'])}; test problems are in neither.")
