(() => {
  "use strict";
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  // Filter the rows of long tables.
  document.querySelectorAll("table.grid").forEach((table) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 12) return;
    const line = make("p", undefined, { class: "sift" });
    const label = make("label", "Filter rows");
    const input = make("input", undefined, { type: "search" });
    const count = make("span", "", { role: "status" });
    label.append(input);
    line.append(label, " ", count);
    table.parentElement.before(line);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
        shown += !row.hidden;
      }
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
  });

  // Walk through single decisions, one at a time.
  document.querySelectorAll(".cards").forEach((box) => {
    const cards = [...box.children];
    if (cards.length < 2) return;
    let at = -1;
    const line = make("div", undefined, { class: "walk", role: "group", "aria-label": "Walk through single decisions" });
    const [back, on, all] = ["Previous", "Next", "Show all"].map((text) => make("button", text, { type: "button" }));
    const said = make("span", "", { role: "status" });
    const show = (place) => {
      at = place;
      cards.forEach((card, i) => { card.hidden = at >= 0 && i !== at; });
      said.textContent = at < 0 ? `All ${cards.length} decisions` : `Decision ${at + 1} of ${cards.length}`;
      all.disabled = at < 0;
    };
    back.addEventListener("click", () => show(at <= 0 ? cards.length - 1 : at - 1));
    on.addEventListener("click", () => show((at + 1) % cards.length));
    all.addEventListener("click", () => show(-1));
    line.append(back, on, all, said);
    box.before(line);
    show(-1);
  });

  const source = document.getElementById("explore-data");
  if (!source) return;
  const whole = JSON.parse(source.textContent);
  // The choice that is looked at: the only one, or that of one label of several.
  let data = whole.choices[0];
  const part = (name) => document.getElementById(`explore-${name}`);

  // Quantiles of the beta distribution: log gamma (Stirling), the continued fraction of Lentz, bisection.
  const logGamma = (x) => {
    if (x < 8) return logGamma(x + 1) - Math.log(x);
    const inverse = 1 / (x * x);
    const series = ((((-691 / 360360 * inverse + 1 / 1188) * inverse - 1 / 1680) * inverse + 1 / 1260) * inverse - 1 / 360) * inverse + 1 / 12;
    return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x;
  };
  const fraction = (x, a, b) => {
    const tiny = 1e-300;
    let c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    let h = d;
    for (let m = 1; m < 20000; m++) {
      for (const term of [m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))]) {
        d = 1 + term * d;
        c = 1 + term / c;
        d = 1 / (Math.abs(d) < tiny ? tiny : d);
        c = Math.abs(c) < tiny ? tiny : c;
        h *= d * c;
      }
      if (Math.abs(d * c - 1) < 1e-15) break;
    }
    return h;
  };
  const below = (x, a, b) => {
    if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
  };
  const quantile = (p, a, b) => {
    let low = 0, high = 1;
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (below(middle, a, b) < p) low = middle; else high = middle;
    }
    return (low + high) / 2;
  };
  const kept = new Map();
  // Halfway between Clopper and Pearson's interval and Jeffreys', as the audits take it.
  const interval = (k, n) => {
    const key = `${k}/${n}`;
    if (!kept.has(key)) {
      const tail = (1 - whole.level) / 2;
      kept.set(key, [k === 0 ? 0 : quantile(tail, k + 0.25, n - k + 0.75), k === n ? 1 : quantile(1 - tail, k + 0.75, n - k + 0.25)]);
    }
    return kept.get(key);
  };

  const sum = (counts, from) => (counts || []).reduce((total, count, i) => (i >= from ? total + count : total), 0);
  const cells = (group, at) => {
    const [tp, fp, up] = [group.positive, group.negative, group.unknown].map((counts) => sum(counts, at + 1));
    const [p, n, u] = [group.positive, group.negative, group.unknown].map((counts) => sum(counts, 0));
    return { tp, fp, fn: p - tp, tn: n - fp, up, un: u - up, all: p + n + u, known: p + n };
  };
  const RATES = {
    selection_rate: [() => `predicted “${data.selected}”`, (c) => [data.selects ? c.tp + c.fp + c.up : c.fn + c.tn + c.un, c.all]],
    false_negative_rate: [() => `missed “${data.positive}” (false negative rate)`, (c) => [c.fn, c.tp + c.fn]],
    false_positive_rate: [() => `wrong “${data.positive}” (false positive rate)`, (c) => [c.fp, c.fp + c.tn]],
    true_positive_rate: [() => `found “${data.positive}” (true positive rate)`, (c) => [c.tp, c.tp + c.fn]],
    precision: [() => `right among predicted “${data.positive}” (precision)`, (c) => [c.tp, c.tp + c.fp]],
    false_omission_rate: [() => `“${data.positive}” among the others (false omission rate)`, (c) => [c.fn, c.fn + c.tn]],
    accuracy: [() => "right (accuracy)", (c) => [c.tp + c.tn, c.known]],
  };
  const FIRST = ["selection_rate", "false_negative_rate", "false_positive_rate", "accuracy"];
  const minus = (text) => text.replace("-", "\u2212");
  const points = (x) => minus((100 * x).toFixed(Math.abs(x) < 0.0995 ? 1 : 0));
  const percent = (x, low, high) => `${points(x)}\u00a0% [${points(low)}, ${points(high)}]`;
  const plain = (x) => minus(Number(x.toPrecision(3)).toString());

  // What wrong decisions cost for 100 rows, by recovering the variances of the two shares, which exclude each other (Zou and Donner 2008).
  const cost = (c, miss, wrong) => {
    const [p, q] = [c.fn / c.known, c.fp / c.known];
    const [[pl, ph], [ql, qh]] = [interval(c.fn, c.known), interval(c.fp, c.known)];
    const together = p < 1 && q < 1 ? -Math.sqrt(p * q / ((1 - p) * (1 - q))) : 0;
    const width = (x, y) => Math.sqrt(Math.max(0, x * x + y * y + 2 * together * x * y));
    const value = miss * p + wrong * q;
    return [100 * value, 100 * Math.max(0, value - width(miss * (p - pl), wrong * (q - ql))), 100 * (value + width(miss * (ph - p), wrong * (qh - q)))];
  };

  const chosen = { groups: new Set(), rates: new Set(FIRST) };
  const feature = () => data.features[Number(part("by").value)];
  const groups = () => (feature() ? feature().groups : []);
  const check = (box, name, words, on) => {
    const label = make("label");
    const input = make("input", undefined, { type: "checkbox" });
    input.checked = on.has(name);
    input.addEventListener("change", () => {
      if (input.checked) on.add(name); else on.delete(name);
      draw();
    });
    label.append(input, ` ${words}`);
    box.append(label);
  };
  const fill = (box, entries, on) => {
    while (box.children.length > 1) box.lastChild.remove();
    for (const [name, words] of entries) check(box, name, words, on);
  };
  const number = (name) => Math.min(1e6, Math.max(0, Number(part(name).value) || 0));
  const rateCell = (rate, c) => {
    const [k, n] = RATES[rate][1](c);
    const cell = make("td", undefined, { "data-rate": rate });
    if (!n) {
      cell.textContent = "none to count";
      return cell;
    }
    const [low, high] = interval(k, n);
    Object.assign(cell.dataset, { value: k / n, low, high, n });
    cell.title = `${k} of ${n} ${whole.unit}`;
    const strip = make("span", undefined, { class: "strip", "aria-hidden": "true" });
    const [line, dot] = [make("i"), make("b")];
    line.style.left = `${100 * low}%`;
    line.style.width = `${100 * (high - low)}%`;
    dot.style.left = `${100 * k / n}%`;
    strip.append(line, dot);
    cell.append(percent(k / n, low, high), " ", make("span", `${k} of ${n}`, { class: "n" }), n < whole.least ? make("span", " few", { class: "few" }) : "", strip);
    return cell;
  };
  const costCell = (c) => {
    const cell = make("td", c.known ? undefined : "none to count", { "data-rate": "cost" });
    if (!c.known) return cell;
    const [value, low, high] = cost(c, number("miss"), number("wrong"));
    Object.assign(cell.dataset, { value, low, high });
    cell.textContent = `${plain(value)} [${plain(low)}, ${plain(high)}]`;
    return cell;
  };
  // The gap between the groups that are shown; at the run's threshold with all groups it is the audit's, with its interval.
  const gapCell = (rate, shown, at) => {
    const cell = make("td", "\u2013", { "data-gap": rate });
    const found = shown.map((group) => RATES[rate][1](cells(group, at)));
    const enough = Math.min(100, Math.max(whole.least, 0.02 * found.reduce((total, [, n]) => total + n, 0)));
    const large = found.filter(([, n]) => n >= enough).sort(([a, m], [b, n]) => a / m - b / n);
    if (large.length < 2) return cell;
    const [[lowK, lowN], [highK, highN]] = [large[0], large[large.length - 1]];
    const own = at === data.at && shown.length === groups().length && feature().gaps[rate];
    let [value, low, high] = own || [highK / highN - lowK / lowN, null, null];
    if (!own) {
      const [[al, ah], [bl, bh]] = [interval(highK, highN), interval(lowK, lowN)];
      low = Math.max(0, value - Math.hypot(highK / highN - al, bh - lowK / lowN));
      high = Math.min(1, value + Math.hypot(ah - highK / highN, lowK / lowN - bl));
    }
    Object.assign(cell.dataset, { value, low, high, own: Boolean(own) });
    cell.textContent = low === null ? `${points(value)} points` : `${points(value)} points [${points(low)}, ${points(high)}]`;
    return cell;
  };
  const draw = () => {
    const at = Number(part("at").value);
    const own = at === data.at;
    const shown = groups().filter((group) => chosen.groups.has(group.name));
    const rates = Object.keys(RATES).filter((rate) => chosen.rates.has(rate));
    const words = `${plain(data.thresholds[at])}${own ? ", the run's" : ""}`;
    part("out").textContent = words;
    part("at").setAttribute("aria-valuetext", words);
    part("back").disabled = own;
    const table = part("table");
    table.caption.textContent = `At a threshold of ${words}`;
    const head = make("tr");
    for (const text of [feature() ? feature().title : "", ...rates.map((rate) => RATES[rate][0]()), `cost for 100 ${whole.unit}`]) head.append(make("th", text, { scope: "col" }));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...[...shown, data.every].map((group) => {
      const row = make("tr", undefined, { "data-group": group.name });
      const c = cells(group, at);
      row.append(make("th", group.name, { scope: "row" }), ...rates.map((rate) => rateCell(rate, c)), costCell(c));
      return row;
    }));
    const foot = make("tr");
    foot.append(make("th", "largest gap", { scope: "row" }), ...rates.map((rate) => gapCell(rate, shown, at)), make("td", ""));
    table.tFoot.replaceChildren(...(shown.length > 1 ? [foot] : []));
    const level = `${Number((100 * whole.level).toFixed(1))} %`;
    const left = feature() && feature().left.length ? ` Left out for their size: ${feature().left.map(([name, n]) => `${name} (${n})`).join(", ")}.` : "";
    const gap = own
      ? "The interval of a gap is the audit's, which allows for the choice of the widest pair."
      : "The interval of a gap is that of the two groups that lie furthest apart, without allowance for having chosen them.";
    part("note").textContent = `In brackets: ${level} intervals.${shown.length > 1 ? ` ${gap}` : ""}${left}`;
    part("said").textContent = `Threshold ${words}: ${data.every.name} ${[...table.tBodies[0].lastElementChild.cells].slice(1).map((cell, i) => `${head.cells[i + 1].textContent} ${cell.firstChild ? cell.firstChild.textContent : ""}`).join("; ")}`;
  };
  const regroup = () => {
    chosen.groups = new Set(groups().map((group) => group.name));
    fill(part("groups"), groups().map((group) => [group.name, group.name]), chosen.groups);
    part("groups").hidden = !groups().length;
    draw();
  };
  const choose = () => {
    part("at").max = data.thresholds.length - 1;
    part("at").value = data.at;
    part("by").replaceChildren(...data.features.map((one, i) => make("option", one.title, { value: i })), make("option", "all rows together", { value: -1 }));
    fill(part("rates"), Object.entries(RATES).map(([name, [words]]) => [name, words()]), chosen.rates);
    regroup();
  };
  whole.choices.forEach((one, i) => part("of").append(make("option", one.positive, { value: i })));
  part("labels").hidden = whole.choices.length < 2;
  part("of").addEventListener("change", () => { data = whole.choices[Number(part("of").value)]; choose(); });
  part("by").addEventListener("change", regroup);
  for (const name of ["at", "miss", "wrong"]) part(name).addEventListener("input", draw);
  part("back").addEventListener("click", () => { part("at").value = data.at; draw(); part("at").focus(); });
  document.getElementById("explore").hidden = false;
  const [entry, link] = [make("li", undefined, { class: "plain" }), make("a", "Move the threshold", { href: "#explore" })];
  entry.append(link);
  document.querySelector('.contents a[href="#data"], .contents a[href="#reproduce"]')?.parentElement.before(entry);
  choose();
})();
