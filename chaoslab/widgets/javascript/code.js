// The Python that makes the trajectory in view.

/** Lines of Python for exactly the trajectory that is shown. */
export function code(recipe, view) {
  const changed = recipe.parameters
    .filter(({ name, value, array }) => !array && view.parameters[name] !== value)
    .map(({ name }) => `${name}=${view.parameters[name]}`);
  const moved = Object.entries(recipe.words).filter(([, names]) => names.some((name) => view.state[name] !== recipe.state[name]));
  const start = ([word, [first, ...rest]]) => `"${word}": ${first === word ? view.state[word] : `[${[first, ...rest].map((name) => view.state[name]).join(", ")}]`}`;
  if (moved.length) changed.push(`state={${moved.map(start).join(", ")}}`);
  const lines = ["import chaoslab as cl", "", `system = ${recipe.code}`];
  if (changed.length) lines.push(`system = system.with_(${changed.join(", ")})`);
  if (recipe.kind === "map") {
    lines.push(`ds = cl.simulate(system, ${view.periods}, transient=${view.transient})`);
  } else {
    if (changed.length) {
      lines.unshift("import dataclasses", "");
      lines.push(`system = dataclasses.replace(system, period=${recipe.period})  # what lengths are counted in: that of the system opened`);
    }
    lines.push(`ds = cl.simulate(system, periods=${view.periods}, samples=${view.samples}, transient=${view.transient})`);
  }
  const axes = view.axes.every((name) => recipe.components.includes(name)) ? `, [${view.axes.map((name) => `"${name}"`).join(", ")}]` : "";
  lines.push(`cl.figures.attractor(ds${axes}${view.colour === "speed" ? ', colour="speed"' : ""})`);
  return lines.join("\n");
}
