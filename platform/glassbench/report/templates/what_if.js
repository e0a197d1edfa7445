(() => {
  "use strict";
  const part = (name) => document.getElementById(name);
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  let shown = null;
  let asked = 0;
  const changes = () => {
    const found = {};
    shown.inputs.forEach((input, i) => {
      const field = part(`cell-${i}`);
      field.parentElement.classList.toggle("changed", field.value !== input.value);
      if (field.value !== input.value) found[input.name] = field.value;
    });
    return found;
  };
  const ask = async (row, changed) => {
    const turn = ++asked;
    part("said").textContent = "Asking the model…";
    const answer = await fetch("/decide", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ row, changes: changed }) });
    const content = await answer.json();
    if (turn !== asked) return null;
    part("said").textContent = content.error || content.unusual.join(" ");
    return content.error ? null : content;
  };
  const tell = (content) => {
    const line = (name, before, after) => {
      const row = make("tr");
      row.append(make("th", name, { scope: "row" }), make("td", before), make("td", after));
      return row;
    };
    const percent = (x) => `${(100 * x).toFixed(1)} %`;
    const scores = Object.keys(content.before.scores).map((name) => line(`score of “${name}”`, percent(content.before.scores[name]), percent(content.after.scores[name])));
    part("answers").replaceChildren(line("prediction", content.before.prediction, content.after.prediction), ...scores);
  };
  const again = async () => {
    const content = await ask(shown.place, changes());
    if (content) tell(content);
  };
  const load = async () => {
    const content = await ask(Number(part("place").value), {});
    if (!content) return;
    shown = content;
    part("of").textContent = `of 0 to ${content.rows - 1}`;
    part("place").max = content.rows - 1;
    part("cells").replaceChildren(...content.inputs.map((input, i) => {
      const line = make("p");
      const field = make("input", undefined, { id: `cell-${i}`, value: input.value });
      if (input.options.length) {
        const list = make("datalist", undefined, { id: `options-${i}` });
        list.append(...input.options.map((option) => make("option", undefined, { value: option })));
        field.setAttribute("list", list.id);
        line.append(list);
      }
      field.addEventListener("change", again);
      line.prepend(make("label", input.unit ? `${input.name} (${input.unit})` : input.name, { for: field.id }), field, make("span", `was ${input.value || "missing"}`, { class: "note" }));
      return line;
    }));
    tell(content);
  };
  part("cells").addEventListener("submit", (event) => event.preventDefault());
  part("pick").addEventListener("submit", (event) => event.preventDefault());
  part("place").addEventListener("change", load);
  load();
})();
