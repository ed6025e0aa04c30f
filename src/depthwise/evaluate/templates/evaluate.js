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

// The matrix: come closer, move, point

const map = document.getElementById("matrix"), grid = map.querySelector("svg.cells"), cursor = document.getElementById("cursor");
const rows = map.querySelector(".rows"), columns = map.querySelector(".columns"), output = document.querySelector(".tools output");
const size = data.labels.length;
const readable = 13, counted = 22, largest = 60; // pixels of a cell: for a name, for a number, when closest
const usual = 34, least = 0.5;
let side = usual, whole = true, at = null;

// Names of which each has the room of `every` cells; of those the one in the middle is shown.
function name(strip, every) {
  const middle = Math.floor(every / 2);
  [...strip.children].forEach((span, index) => {
    const from = index - middle;
    span.classList.toggle("left-out", from % every !== 0);
    span.classList.toggle("part", from + every > size);
  });
}

function draw() {
  const every = Math.ceil(readable / side - 0.01);
  map.classList.remove("bare");
  map.classList.toggle("small", side < counted);
  map.style.setProperty("--side", `${side}px`);
  map.style.setProperty("--every", every);
  for (const strip of [rows, columns]) name(strip, every);
}

// The side at which all cells and their names are seen at once: names are measured, not guessed.
function fit() {
  const width = map.parentElement.clientWidth, height = 0.92 * window.innerHeight;
  map.style.setProperty("--most", `${Math.max(40, Math.min(180, 0.3 * width))}px`);
  side = usual;
  for (let turn = 0; turn < 3; turn++) {
    draw();
    const room = Math.min(width - rows.offsetWidth, Math.max(height - columns.offsetHeight, 0.5 * width)) - 2;
    side = Math.min(usual, Math.max(least, room / size));
  }
  draw();
}

function zoom(factor, x = map.clientWidth / 2, y = map.clientHeight / 2) {
  if (!factor) { whole = true; fit(); return; }
  const before = side, left = rows.offsetWidth, top = columns.offsetHeight;
  whole = false;
  side = Math.min(Math.max(side * factor, least), Math.max(largest, usual));
  draw();
  map.scrollLeft = (map.scrollLeft + x - left) * side / before - x + rows.offsetWidth;
  map.scrollTop = (map.scrollTop + y - top) * side / before - y + columns.offsetHeight;
}

function point(t, p) {
  at = { t, p };
  const cell = cells.get(`${t},${p}`);
  output.textContent = cell ? words(cell) : `${data.labels[t]} taken for ${data.labels[p]}: none of ${data.of[t]}`;
  cursor.removeAttribute("hidden");
  cursor.setAttribute("x", p);
  cursor.setAttribute("y", t);
}

// Scrolls so that the cell pointed at is not behind the names.
function uncover() {
  const left = at.p * side, top = at.t * side;
  map.scrollLeft = Math.min(Math.max(map.scrollLeft, left + side + rows.offsetWidth - map.clientWidth), left);
  map.scrollTop = Math.min(Math.max(map.scrollTop, top + side + columns.offsetHeight - map.clientHeight), top);
}

function under(event) {
  const box = grid.getBoundingClientRect();
  const limit = (value) => Math.min(Math.max(Math.floor(value / side), 0), size - 1);
  return [limit(event.clientY - box.top), limit(event.clientX - box.left)];
}

const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
map.addEventListener("keydown", (event) => {
  const step = steps[event.key];
  if (step) {
    const limit = (value) => Math.min(Math.max(value, 0), size - 1);
    if (at) point(limit(at.t + step[0]), limit(at.p + step[1])); else point(0, 0);
    uncover();
  } else if ((event.key === "Enter" || event.key === " ") && at) openCell(at.t, at.p);
  else if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.5 : 0.667);
  else return;
  event.preventDefault();
});
grid.addEventListener("pointermove", (event) => point(...under(event)));
grid.addEventListener("click", (event) => openCell(...under(event)));
map.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const box = map.getBoundingClientRect();
  zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom(Number(button.dataset.zoom))));
window.addEventListener("resize", () => { if (whole) fit(); });
fit();
