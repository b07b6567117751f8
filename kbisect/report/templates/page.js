// SPDX-License-Identifier: GPL-2.0-or-later
// Sorting, filtering and folding. Without it a page shows everything, in the order it was made.
//
// <table data-sort>          its columns sort; <td data-key="1234">1,234</td> sorts by the key
// <table data-filter="fixes"> gets a field that hides rows, counting "fixes"
// <th data-facet>            its column's values can be chosen from a list
// <th data-fixed>            its column doesn't sort
"use strict";
(() => {
  const key = (cell) => (cell ? cell.dataset.key ?? cell.textContent : "").trim();
  const collator = new Intl.Collator("en", { numeric: true });

  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  function compare(one, other) {
    // What is empty comes last, whichever way.
    const numbers = one !== "" && other !== "" && !isNaN(one) && !isNaN(other);
    return numbers ? one - other : collator.compare(one, other);
  }

  function sort(table, heads, at, descending) {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [key(row.cells[at]), row]);
    const empty = keyed.filter(([k]) => k === "");
    const full = keyed.filter(([k]) => k !== "");
    full.sort(([a], [b]) => (descending ? compare(b, a) : compare(a, b)));
    body.append(...full.concat(empty).map(([, row]) => row));
    heads.forEach((head, column) => {
      if (!head.hasAttribute("aria-sort")) return;
      const state = column === at ? (descending ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", state);
    });
  }

  function makeSortable(table) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, at) => {
      if (head.dataset.fixed !== undefined) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        sort(table, heads, at, head.getAttribute("aria-sort") === "ascending");
      });
    });
  }

  function chooser(table, at, title) {
    const values = [...new Set([...table.tBodies[0].rows].map((row) => key(row.cells[at])))];
    const select = make("select", {}, make("option", { value: "", textContent: "all" }));
    for (const value of values.filter(Boolean).sort(collator.compare)) {
      select.append(make("option", { value, textContent: value }));
    }
    return [make("label", {}, `${title} `, select), select];
  }

  function makeFilterable(table) {
    const what = table.dataset.filter || "rows";
    const rows = [...table.tBodies[0].rows];
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const count = make("output", {});
    count.setAttribute("aria-live", "polite");
    const tools = make("div", { className: "tools" }, make("label", {}, "Filter ", field));
    const choices = [];
    for (const head of table.tHead.rows[table.tHead.rows.length - 1].cells) {
      if (head.dataset.facet === undefined) continue;
      const [label, select] = chooser(table, head.cellIndex, head.textContent.trim());
      tools.append(label);
      choices.push([head.cellIndex, select]);
    }
    const update = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !(
          words.every((word) => text.includes(word)) &&
          choices.every(([at, select]) => !select.value || key(row.cells[at]) === select.value)
        );
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = `${shown} of ${rows.length} ${what}`;
    };
    for (const control of [field, ...choices.map(([, select]) => select)]) {
      control.addEventListener("input", update);
    }
    if (table.querySelector("details")) tools.append(folder(table));
    tools.append(count);
    (table.closest(".wide") ?? table).before(tools);
    update();
  }

  function folder(place) {
    const all = () => [...place.querySelectorAll("details")];
    const button = make("button", { type: "button", textContent: "Unfold all" });
    button.addEventListener("click", () => {
      const open = !all().every((each) => each.open);
      for (const each of all()) each.open = open;
      button.textContent = open ? "Fold all" : "Unfold all";
    });
    return button;
  }

  for (const table of document.querySelectorAll("table")) {
    // The filter reads the titles, so it comes before they become buttons.
    if (table.dataset.filter !== undefined) makeFilterable(table);
    if (table.dataset.sort !== undefined) makeSortable(table);
  }

  // Paper can't be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });
})();
