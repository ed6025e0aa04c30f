"use strict";
// Looks at the pages in all frames and writes what it found into <pre>, as JSON.

const inside = (inner, outer, slack = 1) => inner.left >= outer.left - slack && inner.top >= outer.top - slack
  && inner.right <= outer.right + slack && inner.bottom <= outer.bottom + slack;
const meets = (one, other, slack = 1) => one.left < other.right - slack && other.left < one.right - slack
  && one.top < other.bottom - slack && other.top < one.bottom - slack;
const box = (element) => element.getBoundingClientRect();

function shown(view, strip) {
  return [...strip.children].filter((span) => {
    const style = view.getComputedStyle(span);
    return style.display !== "none" && style.visibility !== "hidden";
  });
}

function whole(view, map) {
  const frame = box(map), cells = [...map.querySelectorAll("svg.cells rect:not(#cursor)")];
  const rows = shown(view, map.querySelector(".rows")), columns = shown(view, map.querySelector(".columns"));
  const names = [...rows, ...columns], area = box(map.querySelector("svg.cells"));
  const overlapping = [];
  for (const list of [rows, columns]) list.slice(1).forEach((span, index) => {
    if (meets(box(span), box(list[index]))) overlapping.push(span.title);
  });
  return {
    scrolls: map.scrollWidth > map.clientWidth + 1 || view.document.documentElement.scrollWidth > view.innerWidth + 1,
    outside: cells.filter((cell) => !inside(box(cell), frame)).length ? ["some"] : [],
    covered: names.filter((span) => meets(box(span), area)).map((span) => span.title),
    overlapping,
    names: Math.min(rows.length, columns.length),
  };
}

function close(view, map) {
  const closer = view.document.querySelector("[data-zoom='1.5']");
  for (let turn = 0; turn < 9; turn++) closer.click();
  const texts = [...map.querySelectorAll("svg.cells text")].filter((text) => view.getComputedStyle(text).display !== "none");
  const spilling = texts.filter((text) => {
    const cell = box(text.previousElementSibling), own = box(text);
    return own.left < cell.left || own.right > cell.right;
  });
  map.scrollTo(map.scrollWidth, map.scrollHeight);
  const corner = box(map.querySelector(".corner")), area = box(map.querySelector("svg.cells"));
  const [row] = shown(view, map.querySelector(".rows")).slice(-1), [column] = shown(view, map.querySelector(".columns")).slice(-1);
  const side = area.height / map.querySelector(".rows").children.length;
  const close = (one, other) => Math.abs(one - other) <= 2;
  const strips = [box(map.querySelector(".rows")), box(map.querySelector(".columns"))], frame = box(map);
  return {
    numbers: texts.length,
    spilling: spilling.map((text) => text.textContent),
    covered: close(strips[0].left, frame.left) && close(strips[1].top, frame.top) ? [] : ["the names have moved away"],
    last: [
      close(box(row).bottom, area.bottom) && close(box(row).height, side),
      close(box(column).right, area.right) && close(box(column).width, side),
    ],
  };
}

function use(view, map) {
  view.document.querySelector("[data-zoom='0']").click();
  const grid = map.querySelector("svg.cells"), output = view.document.querySelector(".tools output");
  const area = box(grid), side = area.width / map.querySelector(".rows").children.length;
  const at = { clientX: area.left + 1.5 * side, clientY: area.top + 0.5 * side, bubbles: true };
  grid.dispatchEvent(new view.PointerEvent("pointermove", at));
  const pointed = output.textContent;
  grid.dispatchEvent(new view.PointerEvent("pointermove", { ...at, clientX: area.left + 0.5 * side }));
  map.dispatchEvent(new view.KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  const keyed = output.textContent;
  map.dispatchEvent(new view.KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  return { pointed, keyed, opened: view.document.querySelector("dialog[open] h2")?.textContent };
}

function cut(view) {
  const chart = view.document.querySelector("svg.chart"), frame = box(chart);
  return [...chart.querySelectorAll("text")].filter((text) => !inside(box(text), frame)).map((text) => text.textContent);
}

window.addEventListener("load", () => {
  const told = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const view = frame.contentWindow, map = view.document.getElementById("matrix");
    told[frame.id] = { whole: whole(view, map), close: close(view, map), cut: cut(view), ...use(view, map) };
  }
  document.querySelector("pre").textContent = JSON.stringify(told);
});
