"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const cells = new Map(data.cells.map(([t, p, count, images]) => [`${t},${p}`, { t, p, count, images }]));
const percent = (share) => `${(100 * share).toFixed(1)}%`;

function words({ t, p, count }) {
  const what = t === p ? "rightly labelled" : `taken for ${data.labels[p]}`;
  return `${data.labels[t]} ${what}: ${count} of ${data.of[t]} (${percent(count / data.of[t])})`;
}

// The box of images

const box = document.querySelector("dialog");
box.addEventListener("click", (event) => { if (event.target === box) box.close(); });

function figure(index) {
  const [picture, name, probability, ofTrue] = data.images[index];
  const made = document.createElement("figure");
  const image = made.appendChild(document.createElement("img"));
  image.src = picture ?? document.getElementById(`image-${index}`).src;
  image.alt = name;
  const caption = made.appendChild(document.createElement("figcaption"));
  caption.append(`says ${percent(probability)}` + (probability === ofTrue ? "" : `, the right one has ${percent(ofTrue)}`));
  const file = caption.appendChild(document.createElement("small"));
  file.textContent = file.title = name;
  return made;
}

function show(title, images, rest, one) {
  box.querySelector("h2").textContent = title;
  box.querySelector(".gallery").replaceChildren(...images.map(figure));
  box.querySelector("p").textContent = rest > 0 ? `${rest} more are not in this page.` : "";
  box.classList.toggle("one", one);
  box.showModal();
}

function openCell(t, p) {
  const cell = cells.get(`${t},${p}`);
  if (cell) show(words(cell), cell.images, cell.count - cell.images.length, false);
}

function openFrom(element) {
  const { image, true: t, predicted: p } = element.dataset;
  if (image !== undefined) show(element.closest("figure").querySelector("figcaption").innerText, [image], 0, true);
  else openCell(Number(t), Number(p));
}

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-true], [data-image]");
  if (element) openFrom(element);
});
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("g.cell");
  if (cell && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); openFrom(cell); }
});

// The table of classes

const table = document.getElementById("classes");
table.querySelectorAll("thead th").forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
  const value = (row) => Number(row.cells[column].dataset.value);
  const up = heading.ariaSort === "descending" || (heading.ariaSort !== "ascending" && column === 0);
  table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  heading.ariaSort = up ? "ascending" : "descending";
  const rows = [...table.tBodies[0].rows].sort((a, b) => (value(a) - value(b)) * (up ? 1 : -1));
  table.tBodies[0].append(...rows);
}));

// The matrix of many classes: come closer, move, point

const map = document.querySelector("svg.dense");
if (map) {
  const size = data.labels.length, over = document.getElementById("over"), output = document.querySelector(".tools output");
  const readable = 13, counted = 24; // pixels of a cell from which names and numbers are drawn
  let view = { x: 0, y: 0, side: size }, drag = null, mark = null;

  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const make = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return over.appendChild(element);
  };

  function draw() {
    const limit = (value) => Math.min(Math.max(value, 0), size - view.side);
    view.x = limit(view.x); view.y = limit(view.y);
    map.setAttribute("viewBox", `${view.x} ${view.y} ${view.side} ${view.side}`);
    over.replaceChildren();
    mark = null;
    const unit = view.side / map.clientWidth; // of the matrix, a pixel
    if (1 / unit < readable) return;
    const small = { "font-size": 12 * unit, "stroke-width": 4 * unit };
    const seen = (from) => [Math.max(0, Math.floor(from)), Math.min(size, Math.ceil(from + view.side))];
    const [left, right] = seen(view.x), [top, bottom] = seen(view.y);
    for (let t = top; t < bottom; t++) for (let p = left; 1 / unit >= counted && p < right; p++) {
      const cell = cells.get(`${t},${p}`);
      if (cell) make("text", { ...small, class: "middle", x: p + 0.5, y: t + 0.5 + 4 * unit }, cell.count);
    }
    for (let t = top; t < bottom; t++) make("text", { ...small, x: view.x + 4 * unit, y: t + 0.5 + 4 * unit }, data.labels[t]);
    for (let p = left; p < right; p++) {
      const at = `translate(${p + 0.5 + 4 * unit} ${view.y + 4 * unit}) rotate(90)`;
      make("text", { ...small, transform: at }, data.labels[p]);
    }
  }

  function zoom(factor, at) {
    const side = factor ? Math.min(Math.max(view.side / factor, 6), size) : size;
    const middle = at ?? { x: view.x + view.side / 2, y: view.y + view.side / 2 };
    const kept = side / view.side;
    view = { x: middle.x - (middle.x - view.x) * kept, y: middle.y - (middle.y - view.y) * kept, side };
    draw();
  }

  function point(at) {
    const t = Math.floor(at.y), p = Math.floor(at.x), cell = cells.get(`${t},${p}`);
    if (t < 0 || p < 0 || t >= size || p >= size) return;
    output.textContent = cell ? words(cell) : `${data.labels[t]} taken for ${data.labels[p]}: none`;
    mark?.remove();
    mark = make("rect", { class: "mark", x: p, y: t, width: 1, height: 1, "stroke-width": 2 * view.side / map.clientWidth });
  }

  document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom(Number(button.dataset.zoom))));
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, place(event));
  }, { passive: false });
  map.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, from: { ...view }, moved: false }; });
  window.addEventListener("pointerup", () => { setTimeout(() => { drag = null; }); });
  map.addEventListener("pointermove", (event) => {
    if (!drag) { point(place(event)); return; }
    const across = event.clientX - drag.x, down = event.clientY - drag.y, unit = view.side / map.clientWidth;
    drag.moved ||= Math.hypot(across, down) > 4;
    if (drag.moved) { view.x = drag.from.x - across * unit; view.y = drag.from.y - down * unit; draw(); }
  });
  map.addEventListener("click", (event) => {
    if (drag?.moved) return;
    const at = place(event);
    openCell(Math.floor(at.y), Math.floor(at.x));
  });
  window.addEventListener("resize", draw);
}
